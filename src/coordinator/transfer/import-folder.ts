import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Database } from "../../db/database.ts";
import { earlierMigrations } from "../../db/earlier-migrations.ts";
import { fillTables } from "../../db/fill-tables.ts";
import { openDatabase } from "../../db/open.ts";
import { Fault, toFailure } from "../../protocol/failure.ts";
import type { Git } from "../../workspace/git.ts";
import { linesOf } from "./lines.ts";
import { type Manifest, manifestEntry, readManifest } from "./manifest.ts";
import { type Archive, openArchive, readEntry, readWhole } from "./read-archive.ts";
import { unpackRepository } from "./unpack-repository.ts";

/**
 * `sheaf import`: a data folder of an export. Everything is made in a folder beside the one that it is to be, which takes
 * its name when all of it is whole and every hash was right; until then there is nothing, in the database neither.
 */
export interface ImportOrder {
  file: string;
  /** $SHEAF_HOME; must not be there, or be empty. */
  home: string;
  /** DATABASE_URL: an empty database. */
  url?: string | undefined;
  /** As openDatabase takes them. */
  template: string;
  migrations: string;
  git: Git;
}

/** Throws Fault `usage`, `database_newer`, and what the database, git or disk throws. */
export async function importFolder(order: ImportOrder): Promise<Manifest> {
  const archive = await openArchive(order.file);
  const manifest = readManifest(await readWhole(archive, manifestEntry, mostManifestBytes), order.file);
  await refuseFull(order.home);
  const draft = await mkdtemp(join(dirname(order.home), `.${basename(order.home)}.import-`)).catch((cause: unknown) => {
    throw new Fault("read_only", `nothing can be made beside ${order.home}: ${toFailure(cause).message}`, {
      remedy: "import into a folder inside one that can be written, and point SHEAF_HOME at it",
      cause,
    });
  });
  const scratch = `${draft}-scratch`;
  try {
    await mkdir(scratch);
    const folder = join(draft, "folder");
    await mkdir(folder, { mode: 0o700 });
    for (const packed of manifest.repositories)
      await unpackRepository(packed, archive, { home: folder, git: order.git });
    for (const kept of manifest.files) await writeKept(kept, archive, folder);
    await fill(order, { manifest, archive, folder, scratch });
    return manifest;
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

const mostManifestBytes = 256 * 2 ** 20;

async function refuseFull(home: string): Promise<void> {
  const names = await readdir(home).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw cause;
  });
  if (names.length === 0) return;
  throw new Fault("usage", `${home} is not empty: it holds ${names.slice(0, 5).join(", ")}`, {
    remedy: "point SHEAF_HOME at a folder that is not there yet; settings and tokens are put into it afterwards",
  });
}

async function writeKept(kept: Manifest["files"][number], archive: Archive, folder: string): Promise<void> {
  const place = join(folder, kept.path);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  await pipeline(readEntry(archive, kept), createWriteStream(place, { flags: "wx", mode: 0o600 }));
}

interface Draft {
  manifest: Manifest;
  archive: Archive;
  folder: string;
  scratch: string;
}

/** The embedded database is part of the folder; of a server, rows and folder come to be in one transaction. */
async function fill(order: ImportOrder, { manifest, archive, folder, scratch }: Draft): Promise<void> {
  const { url, template, migrations, home } = order;
  const places = { url, folder, template };
  const earlier = await earlierMigrations(manifest.database.migrations, { migrations, scratch });
  const isServer = url !== undefined;
  let hasAppeared = false;
  const appear = async () => {
    await rename(folder, home);
    hasAppeared = true;
  };
  {
    await using database = await openDatabase({ ...places, migrations: earlier });
    await fillFrom({ manifest, archive }, isServer ? appear : async () => {}, database).catch(
      async (thrown: unknown) => {
        // The transaction was undone after the folder had come to be.
        if (hasAppeared) await rename(home, folder);
        throw thrown;
      },
    );
  }
  if (earlier !== migrations) await (await openDatabase({ ...places, migrations })).close();
  if (!isServer) await appear();
}

function fillFrom(
  { manifest, archive }: Pick<Draft, "manifest" | "archive">,
  atEnd: () => Promise<void>,
  database: Database,
): Promise<void> {
  const fillings = manifest.tables.map((table) => ({
    name: table.name,
    columns: table.columns,
    rows: linesOf(readEntry(archive, table)),
  }));
  return fillTables(
    fillings,
    async (counts) => {
      const odd = manifest.tables.find(({ name, rows }) => counts.get(name) !== rows);
      if (odd) throw new Fault("usage", `${archive.file} has not as many rows of ${odd.name} as its manifest says`);
      await atEnd();
    },
    database,
  );
}
