import type { TestProject } from "vitest/node";
import { openDatabase } from "../../src/db/open.ts";
import { migrations, template } from "./database.ts";
import { startPostgres } from "./postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The address of a migrated, empty database that is only ever copied. */
    postgres: string;
  }
}

/** One PostgreSQL server for all test files that need a store and do not care which. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  const url = await server.createDatabase();
  const database = await openDatabase({ url, folder: "/nonexistent", template, migrations });
  await database.close();
  provide("postgres", url);
  return () => server.close();
}
