import { z } from "zod";
import { pgliteDriver } from "./drizzle.ts";
import { startPglite } from "./pglite.ts";

/**
 * Makes a migrated database in `folder`, as small as it gets: PostgreSQL's own template databases are dropped (nobody
 * ever creates a database in it), tables rewritten, rows frozen. Returns the name of the write-ahead log segment that
 * the last checkpoint is in.
 */
export async function createDatabase(folder: string, migrations: string): Promise<string> {
  const client = await startPglite(folder);
  try {
    const { drizzle, migrate } = pgliteDriver();
    await migrate(drizzle(client), { migrationsFolder: migrations });
    await client.exec("update pg_database set datistemplate = false");
    for (const statement of shrinking) await client.exec(statement);
    const { rows } = await client.query("select pg_walfile_name(pg_current_wal_insert_lsn()) as name");
    return z.tuple([z.object({ name: z.string() })]).parse(rows)[0].name;
  } finally {
    await client.close();
  }
}

// One statement each: neither `drop database` nor `vacuum` runs inside a transaction block.
const shrinking = ["drop database template0", "drop database template1", "vacuum full", "vacuum freeze", "checkpoint"];
