import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createDatabase } from "./create-pglite.ts";
import { readMigrationFiles } from "./drizzle.ts";
import { type Pack, packFolder, readPack, unpack } from "./pack.ts";

/**
 * A migrated, empty embedded database as one file, since initdb takes seconds and unpacking a tenth of one.
 * The file's name says which PGlite and which migrations it is of. It appears by a rename, so it is whole or absent,
 * and two who build it at once only waste time.
 */
export interface TemplateOptions {
  /** The cache folder for templates. */
  template: string;
  migrations: string;
  /** Called before what takes seconds. */
  onSlowStep?: ((what: string) => void) | undefined;
}

/** Makes sure that the template exists, and returns its path. Throws what the file system throws. */
export async function prepareTemplate(options: TemplateOptions): Promise<string> {
  const path = await pathOf(options);
  if (!(await readStored(path))) await store(await build(join(options.template, "building"), options), path);
  return path;
}

/** Fills the new folder `target` from the template. Where there is none it is built first, and kept if it can be. */
export async function unpackTemplate(target: string, options: TemplateOptions): Promise<void> {
  const path = await pathOf(options);
  const stored = await readStored(path);
  if (stored) return unpack(stored, target);
  const bytes = await build(`${target}.building`, options);
  await store(bytes, path).catch(() => {});
  unpack(readPack(bytes), target);
}

async function pathOf(options: TemplateOptions): Promise<string> {
  const hash = createHash("sha256");
  for (const each of readMigrationFiles({ migrationsFolder: options.migrations })) hash.update(each.hash);
  return join(options.template, `pglite-${await pgliteVersion()}-${hash.digest("hex").slice(0, 16)}.zst`);
}

async function pgliteVersion(): Promise<string> {
  const manifest = findPackageJSON("@electric-sql/pglite", import.meta.url);
  const text = manifest ? await readFile(manifest, "utf8") : "";
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** undefined when there is none, or when what is there is damaged. */
async function readStored(path: string): Promise<Pack | undefined> {
  try {
    return readPack(await readFile(path));
  } catch {
    return undefined;
  }
}

async function build(beside: string, options: TemplateOptions): Promise<Buffer> {
  options.onSlowStep?.("preparing the embedded database (once; a few seconds)");
  const scratch = `${beside}-${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const folder = join(scratch, "database");
    const lastSegment = await createDatabase(folder, options.migrations);
    return packFolder(folder, (path) => !isSpareSegment(path, lastSegment));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Write-ahead log that PostgreSQL has set aside for later; it makes new ones when it needs them. */
function isSpareSegment(path: string, lastSegment: string): boolean {
  const name = /^pg_wal[/\\]([0-9A-F]{24})$/.exec(path)?.[1];
  return name !== undefined && name > lastSegment;
}

async function store(bytes: Uint8Array, path: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}
