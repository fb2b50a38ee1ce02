import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { type Orm, rowsOf } from "./database.ts";
import { readMigrationFiles, sql } from "./drizzle.ts";

/** True when exactly the migrations of `folder` are applied, false when some are missing. Throws `database_newer`. */
export async function isCurrent(folder: string, orm: Orm): Promise<boolean> {
  const known = new Set(readMigrationFiles({ migrationsFolder: folder }).map((migration) => migration.hash));
  const applied = await appliedHashes(orm);
  if (applied.some((hash) => !known.has(hash))) {
    throw new Fault("database_newer", "the database was migrated by a newer version of Sheaf", {
      remedy: "use that version or a newer one, or point SHEAF_HOME (or DATABASE_URL) at another database",
    });
  }
  return applied.length === known.size;
}

async function appliedHashes(orm: Orm): Promise<string[]> {
  const place = sql`select to_regclass('drizzle.__drizzle_migrations')::text as name`;
  const [table] = await rowsOf(orm, place, z.object({ name: z.string().nullable() }));
  if (!table?.name) return [];
  const rows = await rowsOf(orm, sql`select hash from drizzle.__drizzle_migrations`, z.object({ hash: z.string() }));
  return rows.map((row) => row.hash);
}
