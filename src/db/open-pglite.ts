import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import { toFault } from "./complaint.ts";
import type { Database } from "./database.ts";
import { pgliteDriver } from "./drizzle.ts";
import { isCurrent } from "./is-current.ts";
import { listenPglite } from "./listen-pglite.ts";
import { startPglite } from "./pglite.ts";
import { type TemplateOptions, unpackTemplate } from "./template.ts";

/** The PostgreSQL inside this PGlite; a data folder of another major version is of no use to it. */
const majorVersion = "18";

/**
 * Opens the embedded database in `folder`/database, made from the template when there is none. The caller holds the
 * folder's lock: PGlite has none of its own, and two processes on one folder lose rows in silence.
 */
export async function openPglite(folder: string, options: TemplateOptions): Promise<Database> {
  const place = join(folder, "database");
  const address = `the embedded database in ${place}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (await isAbsent(place)) await create(folder, place, options);
    await refuseForeign(place);
    return await open(place, address, options.migrations);
  } catch (thrown) {
    throw toFault(thrown, { what: "open the database", on: address });
  }
}

async function isAbsent(place: string): Promise<boolean> {
  try {
    return (await readdir(place)).length === 0;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return true;
    throw thrown;
  }
}

/** Unpacks beside its place and renames, so that a crash half way leaves nothing that looks like a database. */
async function create(folder: string, place: string, options: TemplateOptions): Promise<void> {
  const leftovers = (await readdir(folder)).filter((name) => name.startsWith("database.new-"));
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  const fresh = `${place}.new-${randomBytes(6).toString("hex")}`;
  try {
    await unpackTemplate(fresh, options);
    await rmdir(place).catch(() => {});
    await rename(fresh, place);
  } catch (thrown) {
    await rm(fresh, { recursive: true, force: true });
    throw thrown;
  }
}

async function refuseForeign(place: string): Promise<void> {
  await access(place, constants.W_OK);
  const version = (await readFile(join(place, "PG_VERSION"), "utf8").catch(() => "")).trim();
  if (version === majorVersion) return;
  const found = version === "" ? "holds files but no database" : `is of PostgreSQL ${version}, not ${majorVersion}`;
  throw new Fault(version > majorVersion ? "database_newer" : "configuration", `${place} ${found}`, {
    remedy: "move that folder away, or point SHEAF_HOME elsewhere",
  });
}

async function open(place: string, address: string, migrations: string): Promise<Database> {
  const client = await startPglite(place);
  const { drizzle, migrate } = pgliteDriver();
  const orm = drizzle(client);
  const close = () => client.close();
  try {
    if (!(await isCurrent(migrations, orm))) await migrate(orm, { migrationsFolder: migrations });
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const listen: Database["listen"] = (channel, heard) => listenPglite(channel, heard, client);
  return { kind: "pglite", orm, address, listen, close, [Symbol.asyncDispose]: close };
}
