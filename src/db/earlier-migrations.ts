import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { readMigrationFiles } from "./drizzle.ts";

/**
 * The first of our migrations, as a folder of their own in `scratch`: a database of an earlier version is made by them,
 * filled, and then brought to today's by the others. Throws Fault `database_newer` for a hash that is none of ours.
 */
export async function earlierMigrations(
  applied: readonly string[],
  { migrations, scratch }: { migrations: string; scratch: string },
): Promise<string> {
  const known = readMigrationFiles({ migrationsFolder: migrations }).map(({ hash }) => hash);
  if (applied.length > known.length || applied.some((hash, index) => hash !== known[index])) {
    throw new Fault("database_newer", "the file was made by a version of Sheaf with migrations that this one has not", {
      remedy: "import it with that version or a newer one",
    });
  }
  if (applied.length === known.length) return migrations;
  const folder = join(scratch, "migrations");
  await mkdir(folder);
  await cp(migrations, folder, { recursive: true });
  const file = join(folder, "meta", "_journal.json");
  const journal = z.looseObject({ entries: z.array(z.unknown()) }).parse(JSON.parse(await readFile(file, "utf8")));
  await writeFile(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, applied.length) }));
  return folder;
}
