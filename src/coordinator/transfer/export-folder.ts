import { createReadStream } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { rowsOf } from "../../db/database.ts";
import { sql } from "../../db/drizzle.ts";
import { type Snapshot, withSnapshot } from "../../db/read-tables.ts";
import { Fault } from "../../protocol/failure.ts";
import type { Equipment } from "../equipment.ts";
import { withCollectionLock } from "../housekeeping/collection-lock.ts";
import { lookInto } from "../housekeeping/look-into.ts";
import { compressed } from "./lines.ts";
import { type Manifest, manifest, manifestEntry } from "./manifest.ts";
import { isBare, packRepository } from "./pack-repository.ts";
import { ArchiveWriter } from "./write-archive.ts";

/**
 * `sheaf export`: a data folder as one file. Only while no job runs, so that what is in it is all that there is of each
 * job: the rows of one moment, and the refs of the jobs in them. Tokens, settings and keys are not in it, nor what can be
 * made again.
 */
export interface ExportOrder {
  /** Must not be there. It appears when it is whole. */
  file: string;
  /** Also what the user's repositories hold and ours borrow. */
  isWhole: boolean;
  /** Of this Sheaf. */
  version: string;
}

/** Throws Fault `conflict` while jobs run, `locked` while a `sheaf gc` clears away what is to be read, `usage` where the file is there, and what the database, git or disk throws. */
export async function exportFolder(
  order: ExportOrder,
  equipment: Pick<Equipment, "clock" | "database" | "git" | "home">,
): Promise<Manifest> {
  return withCollectionLock(equipment.home, () => exportAlone(order, equipment));
}

async function exportAlone(
  { file, isWhole, version }: ExportOrder,
  { clock, database, git, home }: Pick<Equipment, "clock" | "database" | "git" | "home">,
): Promise<Manifest> {
  const draft = `${file}.new`;
  try {
    await using archive = await createArchive(draft, clock.now());
    const stored = await withSnapshot(database, async (snapshot) => {
      await refuseActive(snapshot);
      return { ...(await addTables(snapshot, archive)), jobs: await jobsIn(snapshot) };
    });
    const repositories = await addRepositories({ home, isWhole, jobs: stored.jobs }, { git, archive });
    const written: Manifest = manifest.parse({
      schema: "sheaf.export/v1",
      sheaf: version,
      made_at: new Date(clock.now()).toISOString(),
      database: { kind: database.kind, version: stored.version, migrations: stored.migrations },
      tables: stored.tables,
      repositories,
      files: await addFiles(home, archive),
      left_out: [...(await leftOut(home)), ...repositories.filter((each) => each.is_broken).map(missed)],
    });
    await archive.add(manifestEntry, oneChunk(JSON.stringify(written, null, 1)));
    await archive.finish();
    await rename(draft, file);
    return written;
  } catch (thrown) {
    if (!(thrown instanceof AnotherDraft)) await rm(draft, { force: true });
    throw thrown;
  }
}

/** Somebody else's is not ours to remove. */
class AnotherDraft extends Fault {}

async function createArchive(draft: string, now: number): Promise<ArchiveWriter> {
  return ArchiveWriter.create(draft, now).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
    throw new AnotherDraft("conflict", `${draft} is there: another export is at it, or one was interrupted`, {
      remedy: "where none is at work, remove it",
      cause,
    });
  });
}

async function refuseActive({ orm }: Snapshot): Promise<void> {
  const asked = sql`select handle from sheaf.jobs where state is distinct from 'finished' order by created_at limit 11`;
  const active = (await rowsOf(orm, asked, z.object({ handle: z.string() }))).map(({ handle }) => handle);
  if (active.length === 0) return;
  const some = active.length > 10 ? `${active.slice(0, 10).join(", ")} and others` : active.join(", ");
  throw new Fault("conflict", `there are jobs that have not ended: ${some}`, {
    remedy:
      "let them end (--wait waits for other nodes; `sheaf serve` takes up what a killed process left), or cancel them",
  });
}

async function jobsIn({ orm }: Snapshot): Promise<Set<string>> {
  const rows = await rowsOf(orm, sql`select run_id as id from sheaf.jobs`, z.object({ id: z.string() }));
  return new Set(rows.map(({ id }) => id));
}

async function addTables(
  { tables, migrations, version, rows }: Snapshot,
  archive: ArchiveWriter,
): Promise<{ tables: Manifest["tables"]; migrations: readonly string[]; version: string }> {
  const added: Manifest["tables"] = [];
  for (const table of tables) {
    let count = 0;
    async function* counted() {
      for await (const line of rows(table)) {
        count++;
        yield line;
      }
    }
    const entry = await archive.add(`tables/${table.name}.jsonl.zst`, compressed(counted()));
    added.push({ name: table.name, columns: table.columns.map(({ name }) => name), rows: count, ...entry });
  }
  return { tables: added, migrations, version };
}

async function addRepositories(
  { home, isWhole, jobs }: { home: string; isWhole: boolean; jobs: ReadonlySet<string> },
  { git, archive }: { git: Equipment["git"]; archive: ArchiveWriter },
): Promise<Manifest["repositories"]> {
  const added: Manifest["repositories"] = [];
  for (const folder of ["repositories", "fetched", "bundled"]) {
    const { entries } = await lookInto(home, folder);
    for (const { name, path } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!/^[0-9a-f]{64}(?:-sha256)?\.git$/.test(name) || !(await isBare(path))) continue;
      const entry = `repositories/${String(added.length + 1).padStart(6, "0")}.pack`;
      // Of our own repositories, what the jobs of that moment keep; of brought ones, all.
      const isKept = (ref: string) => folder !== "repositories" || jobs.has(ref.split("/")[2] ?? "");
      added.push(await packRepository({ path: `${folder}/${name}`, home, entry, isWhole, isKept }, git, archive));
    }
  }
  return added;
}

async function addFiles(home: string, archive: ArchiveWriter): Promise<Manifest["files"]> {
  const added: Manifest["files"] = [];
  for (const folder of ["patches", "salvage"]) {
    const { entries } = await lookInto(home, folder);
    if (entries.length === 0) continue;
    for (const found of await readdir(join(home, folder), { recursive: true, withFileTypes: true })) {
      if (!found.isFile()) continue;
      const full = join(found.parentPath, found.name);
      const path = full.slice(home.length + 1).replaceAll("\\", "/");
      const entry = `files/${String(added.length + 1).padStart(6, "0")}`;
      added.push({ path, ...(await archive.add(entry, createReadStream(full))) });
    }
  }
  return added;
}

async function leftOut(home: string): Promise<string[]> {
  const { entries } = await lookInto(home, "workspaces");
  const left = entries.length > 0 ? [`${entries.length} left workspaces; sheaf gc keeps their work as patches`] : [];
  return ["tokens, settings and keys", "prepared setups, uploaded bundles and undelivered webhooks", ...left];
}

function missed({ path, borrows }: Manifest["repositories"][number]): string {
  return `what ${path} borrowed${borrows === undefined ? "" : ` from ${borrows}`} and is not there any more`;
}

async function* oneChunk(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
