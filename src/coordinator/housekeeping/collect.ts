import { activeJobs } from "../../db/expired-jobs.ts";
import type { CollectionOrder, CollectionReport } from "../../protocol/collection.ts";
import { toFailure } from "../../protocol/failure.ts";
import type { Equipment } from "../equipment.ts";
import type { Around } from "./around.ts";
import { findArtifacts } from "./artifacts.ts";
import { findBundles, findSetups, findSockets, findSources } from "./caches.ts";
import { withCollectionLock } from "./collection-lock.ts";
import type { Found, Garbage, Left } from "./garbage.ts";
import { findJobs } from "./jobs.ts";
import { findInRepositories } from "./repositories.ts";
import { findCheckouts, findWorkspaces } from "./workspaces.ts";

/**
 * `sheaf gc`: clears away what nobody needs. What a job at work might need, on any node, is never garbage, nor is anything
 * whose name or job is not known; the user's own repositories are not written to. One at a time in a data folder: throws
 * Fault `locked` while another one is at it. What cannot be removed is told and decides nothing about the rest.
 */
export async function collect(order: CollectionOrder, equipment: Equipment): Promise<CollectionReport> {
  return withCollectionLock(equipment.home, () => collectAlone(order, equipment));
}

/** In this order: what goes first may free what comes later. */
const searches: readonly ((around: Around) => Promise<Found>)[] = [
  findWorkspaces,
  findCheckouts,
  findSockets,
  findSetups,
  findBundles,
  findJobs,
  findSources,
  findInRepositories,
  findArtifacts,
];

async function collectAlone(order: CollectionOrder, equipment: Equipment): Promise<CollectionReport> {
  const done: Done = { gone: [], left: [], salvaged: [], failed: [] };
  const lostRefs = new Set<string>();
  for (const search of searches) {
    const active = await activeJobs(equipment.database);
    const now = equipment.clock.now();
    const { garbage, left } = await search({ order, active, now, lostRefs, equipment });
    done.left.push(...left);
    for (const each of garbage) await (order.is_dry_run ? done.gone.push(each) : remove(each, done));
  }
  const { salvaged, failed } = done;
  return {
    schema: "sheaf.gc/v1",
    is_dry_run: order.is_dry_run,
    rows: rowsOf(done.gone),
    left: leftRows(done.left),
    salvaged,
    failed,
  };
}

interface Done {
  gone: Garbage[];
  left: Left[];
  salvaged: CollectionReport["salvaged"];
  failed: CollectionReport["failed"];
}

async function remove(garbage: Garbage, { gone, left, salvaged, failed }: Done): Promise<void> {
  const { what, name } = garbage;
  try {
    const removed = await garbage.remove();
    if (removed.salvaged !== undefined) salvaged.push({ of: name, file: removed.salvaged });
    if (removed.left === undefined) gone.push(garbage);
    else left.push({ what, name, why: removed.left });
  } catch (thrown) {
    failed.push({ what, name, why: toFailure(thrown).message });
  }
}

/** One row a kind and reason, most bytes first. Pure. */
function rowsOf(garbage: readonly Garbage[]): CollectionReport["rows"] {
  const rows = new Map<string, CollectionReport["rows"][number]>();
  for (const { why, parts = [], ...whole } of garbage) {
    for (const { what, count, bytes } of [whole, ...parts]) {
      const row = rows.get(`${what} ${why}`) ?? { what, count: 0, bytes: 0, why };
      rows.set(`${what} ${why}`, { ...row, count: row.count + count, bytes: row.bytes + bytes });
    }
  }
  return [...rows.values()].sort((a, b) => b.bytes - a.bytes);
}

function leftRows(left: readonly Left[]): CollectionReport["left"] {
  const rows = new Map<string, CollectionReport["left"][number]>();
  for (const { what, why } of left) {
    const row = rows.get(`${what} ${why}`) ?? { what, count: 0, why };
    rows.set(`${what} ${why}`, { ...row, count: row.count + 1 });
  }
  return [...rows.values()];
}
