import type { Database } from "./database.ts";

/**
 * Opens the database and brings it to this version's migrations: PostgreSQL at `url`, or else the embedded one in
 * `folder`, whose lock (lockFolder) the caller holds. Throws Fault database_unavailable, database_newer, credentials,
 * configuration, read_only or storage_full.
 */
export async function openDatabase(options: {
  /** DATABASE_URL. */
  url?: string | undefined;
  /** $SHEAF_HOME. */
  folder: string;
  /** The cache folder for the template of the embedded database; need not exist, need not be writable. */
  template: string;
  /** The folder of migrations. */
  migrations: string;
  /** Called before a step that takes seconds. */
  onSlowStep?: (what: string) => void;
}): Promise<Database> {
  if (options.url !== undefined) {
    const { openPostgres } = await import("./open-postgres.ts");
    return openPostgres(options.url, options.migrations);
  }
  // Loaded on demand: PGlite is 25 ms of loading, pg 40, and a process needs one of them.
  const { openPglite } = await import("./open-pglite.ts");
  return openPglite(options.folder, options);
}
