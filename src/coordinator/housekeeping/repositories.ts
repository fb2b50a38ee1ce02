import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { knownJobs } from "../../db/expired-jobs.ts";
import { type Around, idleSince, isPastKeeping, timeOfId, uuidForm } from "./around.ts";
import type { Found, Garbage, Left } from "./garbage.ts";
import { isThere } from "./is-there.ts";
import { bytesBelow, changedAt, type Entry, lookInto } from "./look-into.ts";
import { findObjects } from "./objects.ts";
import { findRemains } from "./remains.ts";
import { removeUnused } from "./remove-unused.ts";

/**
 * Our own bare repositories, never the user's behind them. One that a job at work has refs in is let alone but for those
 * refs' neighbours, and so is one with refs that nobody here knows.
 */
export interface OwnRepository {
  gitDir: string;
  /** Where it borrows objects, as it says itself; undefined where that cannot be read. */
  source: string | undefined;
  /** By the job's id. */
  refsOf: ReadonlyMap<string, readonly string[]>;
  /** Refs of no job. */
  others: readonly string[];
}

const names = /^[0-9a-f]{64}(?:-sha256)?\.git$/;
const draftNames = /^[0-9a-f]{64}(?:-sha256)?\.git\.new-\w{6}$/;

export async function ownRepositories({
  equipment,
}: Pick<Around, "equipment">): Promise<{ repositories: OwnRepository[]; others: Entry[]; left: Left[] }> {
  const { entries, left } = await lookInto(equipment.home, "repositories");
  const repositories: OwnRepository[] = [];
  const others: Entry[] = [];
  for (const entry of entries) {
    if (entry.isFolder && names.test(entry.name)) repositories.push(await readRepository(entry.path, equipment));
    else others.push(entry);
  }
  return { repositories, others, left };
}

async function readRepository(gitDir: string, { git }: Pick<Around["equipment"], "git">): Promise<OwnRepository> {
  const { stdout } = await git(["for-each-ref", "--format=%(refname)"], { gitDir });
  const refs = stdout.toString().split("\n").filter(Boolean);
  const refsOf = new Map<string, string[]>();
  const others: string[] = [];
  for (const ref of refs) {
    const job = jobRef.exec(ref)?.[1];
    if (job === undefined) others.push(ref);
    else refsOf.set(job, [...(refsOf.get(job) ?? []), ref]);
  }
  return { gitDir, source: await sourceOf(gitDir), refsOf, others };
}

const jobRef = new RegExp(`^refs/sheaf/(${uuidForm})/`);

async function sourceOf(gitDir: string): Promise<string | undefined> {
  const text = await readFile(join(gitDir, "objects", "info", "alternates"), "utf8").catch(() => "");
  const [line = ""] = text.split("\n");
  return line === "" || line.startsWith('"') ? undefined : line;
}

export async function removeRefs(
  { gitDir }: OwnRepository,
  refs: readonly string[],
  { equipment, lostRefs }: Around,
): Promise<void> {
  const input = refs.map((ref) => `delete ${ref}\n`).join("");
  await equipment.git(["update-ref", "--no-deref", "--stdin"], { gitDir, input });
  lostRefs.add(gitDir);
}

/** What is left in our repositories when the jobs that are past their time have gone. */
export async function findInRepositories(around: Around): Promise<Found> {
  const { repositories, others, left } = await ownRepositories(around);
  const garbage: Garbage[] = [];
  const isIdle = async (path: string, now: Around) => (await changedAt(path)) < idleSince(now);
  for (const { name, path } of others) {
    if (!draftNames.test(name)) left.push({ what: "repositories", name: path, why: "no name of a repository of ours" });
    else if (await isIdle(path, around)) {
      const remove = removeUnused(path, (now) => isIdle(path, now), around);
      garbage.push(await folderGarbage({ what: "drafts", why: "half-made, of a process that is gone" }, path, remove));
    }
  }
  const jobs = repositories.flatMap(({ refsOf }) => [...refsOf.keys()]);
  const known = await knownJobs(jobs, around.equipment.database);
  for (const repository of repositories) {
    const found = await findInRepository(repository, known, around);
    garbage.push(...found.garbage);
    left.push(...found.left);
  }
  return { garbage, left };
}

async function findInRepository(
  repository: OwnRepository,
  known: ReadonlyMap<string, "finished" | "active">,
  around: Around,
): Promise<Found> {
  const { gitDir, refsOf } = repository;
  const garbage: Garbage[] = [];
  const left: Left[] = [];
  const unknown = [...refsOf].filter(([job]) => !known.has(job));
  const isAtWork = [...refsOf.keys()].some((job) => known.get(job) === "active");
  const kept = unknown.filter(([job]) => !mayForget(job, around));
  for (const [job, refs] of unknown) {
    if (mayForget(job, around))
      garbage.push(refGarbage(repository, refs, "of jobs that the database does not know", around));
    else left.push({ what: "refs", name: `${gitDir} refs/sheaf/${job}`, why: unknownJob });
  }
  if (isAtWork) return { garbage, left };
  const outgoing = await sentRefs(repository, around);
  garbage.push(...(await findRemains(gitDir, around)));
  if (outgoing.length > 0) garbage.push(outgoingGarbage(repository, outgoing, around));
  if (kept.length > 0) return { garbage, left };
  const isUnused = refsOf.size === unknown.length && repository.others.length === outgoing.length;
  if (isUnused && (await hasLostSource(repository))) {
    const remove = removeUnused(gitDir, () => isStillUnused(repository, around), around);
    garbage.push(await folderGarbage(orphaned, gitDir, remove));
    return { garbage, left };
  }
  const objects = await findObjects(gitDir, around);
  return { garbage: [...garbage, ...objects.garbage], left: [...left, ...objects.left] };
}

const orphaned = { what: "repositories", why: "no job is left of them, and what they borrowed from is gone" };

async function hasLostSource({ source }: OwnRepository): Promise<boolean> {
  return source !== undefined && !(await isThere(source));
}

/** Nobody put a ref into it since, and what it borrowed from has not come back. */
async function isStillUnused(repository: OwnRepository, { equipment }: Around): Promise<boolean> {
  const { refsOf, others, source } = await readRepository(repository.gitDir, equipment);
  const isKnown = [...refsOf.keys()].every((job) => repository.refsOf.has(job));
  return isKnown && others.every((ref) => repository.others.includes(ref)) && hasLostSource({ ...repository, source });
}

/** A bundle is made within minutes of its ref, and nobody asks for the ref again. Packed refs are older than any. */
async function sentRefs({ gitDir, others }: OwnRepository, { now }: Around): Promise<string[]> {
  const sent: string[] = [];
  for (const ref of others.filter((each) => each.startsWith("refs/sheaf/outgoing/"))) {
    const stats = await lstat(join(gitDir, ref)).catch(() => undefined);
    if (!stats || stats.mtimeMs < now - sentMs) sent.push(ref);
  }
  return sent;
}

const sentMs = 86_400_000;

/** Both databases may have jobs in one data folder, and so may two nodes: only the operator can know. */
const unknownJob = "their jobs are not in this database; --unknown takes them, too, once they are past --keep";

function mayForget(job: string, around: Around): boolean {
  return around.order.has_unknown && isPastKeeping(timeOfId(job), around);
}

function refGarbage(repository: OwnRepository, refs: readonly string[], why: string, around: Around): Garbage {
  const { gitDir } = repository;
  const remove = async () => {
    await removeRefs(repository, refs, around);
    return {};
  };
  return { what: "refs", name: `${gitDir} ${refs[0] ?? ""}`, count: refs.length, bytes: 0, why, remove };
}

/** Looks again which of them were not asked for since. */
function outgoingGarbage(repository: OwnRepository, refs: readonly string[], around: Around): Garbage {
  const garbage = refGarbage(repository, refs, "for bundles that were sent", around);
  const remove = async () => {
    const still = await sentRefs({ ...repository, others: refs }, { ...around, now: around.equipment.clock.now() });
    if (still.length > 0) await removeRefs(repository, still, around);
    return {};
  };
  return { ...garbage, remove };
}

async function folderGarbage(
  kind: Pick<Garbage, "what" | "why">,
  path: string,
  remove: Garbage["remove"],
): Promise<Garbage> {
  return { ...kind, name: path, count: 1, bytes: await bytesBelow(path), remove };
}
