import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { migrations, openTestDatabase, template } from "./database.ts";
import { startPostgres } from "./postgres.ts";

/** Both databases, for `describe.each`: what holds on one must hold on the other. */
export const databases: readonly { name: string; open: () => Promise<Database> }[] = [
  { name: "the embedded database", open: openTestDatabase },
  { name: "PostgreSQL", open: openTestServer },
];

async function openTestServer(): Promise<Database> {
  const server = await startPostgres();
  const url = await server.createDatabase();
  const database = await openDatabase({ url, folder: "/nonexistent", template, migrations });
  const close = async () => {
    await database.close();
    await server.close();
  };
  return { ...database, close, [Symbol.asyncDispose]: close };
}
