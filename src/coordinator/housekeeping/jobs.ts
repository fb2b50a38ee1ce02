import { join } from "node:path";
import { type ExpiredJob, expiredJobs } from "../../db/expired-jobs.ts";
import { workspaceOwners } from "../../db/find-owners.ts";
import { removeJob } from "../../db/remove-job.ts";
import { removeEntry } from "../../workspace/remove-folder.ts";
import type { Around } from "./around.ts";
import type { Found, Garbage, Removed } from "./garbage.ts";
import { bytesBelow, lookInto } from "./look-into.ts";
import { type OwnRepository, ownRepositories, removeRefs } from "./repositories.ts";
import { runOfWorkspace } from "./workspaces.ts";

/**
 * Finished jobs that no rule keeps: their rows, their refs in our repositories, and the patches that were kept of them.
 * Without a rule all are kept. One with a workspace stays until that has gone. Salvaged work is not touched.
 */
export async function findJobs(around: Around): Promise<Found> {
  const { keep_ms, keep_jobs } = around.order;
  if (keep_ms === undefined && keep_jobs === undefined) return { garbage: [], left: [] };
  const before = new Date(around.now - (keep_ms ?? 0));
  const expired = await expiredJobs({ before, newest: keep_jobs ?? 0 }, around.equipment.database);
  if (expired.length === 0) return { garbage: [], left: [] };
  const { repositories } = await ownRepositories(around);
  const patches = await lookInto(around.equipment.home, "patches");
  const folders = new Set(patches.entries.filter(({ isFolder }) => isFolder).map(({ name }) => name));
  const garbage: Garbage[] = [];
  for (const job of expired) garbage.push(await garbageOf(job, { repositories, folders, around }));
  return { garbage, left: patches.left };
}

interface Beside {
  repositories: readonly OwnRepository[];
  /** Of the patches that are kept, by handle. */
  folders: ReadonlySet<string>;
  around: Around;
}

async function garbageOf(job: ExpiredJob, { repositories, folders, around }: Beside): Promise<Garbage> {
  const { home } = around.equipment;
  const refs = repositories.flatMap((repository) => {
    const own = repository.refsOf.get(job.id);
    return own ? [{ repository, own }] : [];
  });
  const patches = folders.has(job.handle) ? join(home, "patches", job.handle) : undefined;
  const beside = async () => {
    for (const { repository, own } of refs) await removeRefs(repository, own, around);
    if (patches !== undefined) await removeEntry(Buffer.from(patches));
  };
  const part = (what: string, count: number, bytes = 0) => (count > 0 ? [{ what, count, bytes }] : []);
  return {
    what: "jobs",
    name: job.handle,
    count: 1,
    bytes: 0,
    why: "past their time",
    parts: [
      ...part("events and spans", job.events + job.spans, job.bytes),
      ...part(
        "refs",
        refs.reduce((sum, { own }) => sum + own.length, 0),
      ),
      ...part("patches", patches === undefined ? 0 : 1, patches === undefined ? 0 : await bytesBelow(patches)),
    ],
    remove: () => removeOne(job, beside, around),
  };
}

/** What could not be salvaged needs the rows and trees of its job, for whoever tries it later. */
async function removeOne(job: ExpiredJob, beside: () => Promise<void>, around: Around): Promise<Removed> {
  if (await hasWorkspace(job, around)) return { left: "a workspace of it is still there, whose work is nowhere else" };
  return (await removeJob(job.id, beside, around.equipment.database)) ? {} : { left: "it is at work again, or gone" };
}

async function hasWorkspace({ id }: ExpiredJob, { equipment: { home, database } }: Around): Promise<boolean> {
  const { entries } = await lookInto(home, "workspaces");
  const runs = entries.flatMap(({ name }) => runOfWorkspace(name) ?? []);
  const owners = runs.length > 0 ? [...(await workspaceOwners(runs, database)).values()] : [];
  return owners.some(({ jobId }) => jobId === id);
}
