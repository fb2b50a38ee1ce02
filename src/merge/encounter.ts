import { Fault } from "../protocol/failure.ts";
import type { TaskId } from "../protocol/ids.ts";
import { type RawPath, toShown } from "../workspace/raw-path.ts";
import type { Repository } from "../workspace/repository.ts";
import { commitTree, writeTree } from "../workspace/tree.ts";
import { type Conflict, ofContents } from "./conflict.ts";
import { editsOf, toChange } from "./edits.ts";
import { type Group, joinMerged, unite, type Work } from "./group.ts";
import { editorsOf, type Ledger, type Meeting } from "./ledger.ts";
import { mergeTrees } from "./three-way.ts";

/**
 * One task's tree merged with the tasks it meets, and with no other: whoever else is in the fold has no part in it.
 */
export interface Encounter {
  base: { tree: string; commit: string };
  ledger: Ledger;
  /** Trees: what the task started from and what it made. */
  tip: { base: string; tree: string };
  work: Work;
  placement: Meeting;
}

/** The group that comes of it, or the conflict. Throws Fault `internal` when a path changed that nobody touched. */
export async function mergeTip(repository: Repository, encounter: Encounter): Promise<Group | Conflict> {
  const { base, tip, work, placement } = encounter;
  const [start, ours] = await Promise.all([startOf(repository, encounter), treeOf(repository, encounter)]);
  const merged = await mergeTrees(repository, { base: start, ours, theirs: tip.tree });
  if (!merged.isClean) {
    return ofContents(repository, merged, { taskId: work.taskId, met: (paths) => metAt(encounter, paths) });
  }
  const [edits = []] = await editsOf(repository, [{ from: base.tree, to: merged.tree }]);
  const joined = joinMerged(work, { edits, tree: merged.tree }, placement.meets);
  const stray = edits.find((edit) => !joined.touched.has(edit.path) && !work.shift.has(edit.path));
  if (stray) throw new Fault("internal", `merging ${work.taskId} changed ${toShown(stray.path)}, which nobody touched`);
  return joined;
}

/** The commit that both sides have in common: the merge base git finds. */
async function startOf(repository: Repository, { base, tip }: Encounter): Promise<string> {
  if (tip.base === base.tree) return base.commit;
  return commitTree(repository, { tree: tip.base, parents: [], message: "base", at: 0 });
}

async function treeOf(repository: Repository, { base, placement }: Encounter): Promise<string> {
  const [only] = placement.meets;
  if (only?.tree && placement.meets.length === 1) return only.tree;
  return writeTree(repository, base.tree, [...unite(placement.meets).values()].map(toChange));
}

/** Whom a task met at these paths; where a file was moved, whoever touched it under its old name too. */
function metAt({ ledger, work, placement }: Encounter, paths: readonly RawPath[]): TaskId[] {
  const own = new Set(work.edits.map((edit) => edit.path));
  const isMove = paths.some((path) => !own.has(path) || !ledger.editors.has(path));
  const met = editorsOf(ledger, isMove ? [...paths, ...placement.collisions] : paths);
  return met.length > 0 ? met : placement.meets.flatMap((group) => group.members);
}
