import { Fault } from "../protocol/failure.ts";
import type { TaskId } from "../protocol/ids.ts";
import type { Repository } from "../workspace/repository.ts";
import { listTree, writeTree } from "../workspace/tree.ts";
import { type Conflict, ofNames, ofNeeds } from "./conflict.ts";
import { editsOf, toChange } from "./edits.ts";
import { mergeTip } from "./encounter.ts";
import { join, namesChanged, unite, type Work } from "./group.ts";
import { accept, createLedger, editorsOf, type Ledger, type Placement, place } from "./ledger.ts";
import { type Clash, createNames, type Names } from "./names.ts";

/**
 * Many trees into one, in task order, without a checkout: the same tips give the same tree whenever they finished.
 * Paths that only one task touched are taken by their entries, in one pass; contents are merged only where tasks
 * met. It never resolves a conflict: the later task is left out, and from then on does not count.
 */
export interface Tip {
  taskId: TaskId;
  /** Its place in fold order. */
  ordinal: number;
  /** Tree it started from: the fold's base, or a fold of what it needs. */
  base: string;
  tree: string;
  /** All tasks whose work it builds on; when one of them is left out, so is it. */
  needs?: readonly TaskId[];
}

export interface FoldResult {
  tree: string;
  /** In task order; a task without changes is folded. */
  folded: TaskId[];
  leftOut: Conflict[];
  /** How many paths were changed to the same by more than one task, counted once for each further task. */
  identical: number;
}

export type { Conflict } from "./conflict.ts";

interface Folding {
  repository: Repository;
  base: { tree: string; commit: string };
  ledger: Ledger;
  names: Names;
  result: Omit<FoldResult, "tree">;
}

/** Throws Fault `git`, and `internal` when the written tree is not what was planned. */
export async function fold(
  repository: Repository,
  base: { tree: string; commit: string },
  tips: readonly Tip[],
): Promise<FoldResult> {
  const ordered = tips.toSorted((a, b) => a.ordinal - b.ordinal || (a.taskId < b.taskId ? -1 : 1));
  const works = await worksOf(repository, base.tree, ordered);
  const names = await namesOf(repository, base.tree, works);
  const result = { folded: [], leftOut: [], identical: 0 };
  const folding: Folding = { repository, base, ledger: createLedger(), names, result };
  for (const [index, work] of works.entries()) {
    const tip = ordered[index];
    if (tip) await foldOne(folding, tip, work);
  }
  return { tree: await writeUnion(folding), ...folding.result };
}

/** One diff-tree for all tips and for every base that is not the fold's. */
async function worksOf(repository: Repository, base: string, tips: readonly Tip[]): Promise<Work[]> {
  const others = [...new Set(tips.map((tip) => tip.base))].filter((tree) => tree !== base);
  const pairs = [
    ...tips.map((tip) => ({ from: tip.base, to: tip.tree })),
    ...others.map((other) => ({ from: base, to: other })),
  ];
  const changes = await editsOf(repository, pairs);
  const shifts = new Map(
    others.map((other, index) => [other, new Map(changes[tips.length + index]?.map((edit) => [edit.path, edit]))]),
  );
  return tips.map((tip, index) => ({
    taskId: tip.taskId,
    edits: changes[index] ?? [],
    shift: shifts.get(tip.base) ?? new Map(),
  }));
}

/** The base is listed only when a name could be new in it. */
async function namesOf(repository: Repository, base: string, works: readonly Work[]): Promise<Names> {
  const mayAppear = new Set<string>();
  for (const work of works) {
    for (const edit of work.edits) if (edit.before === null) mayAppear.add(edit.path);
    for (const path of work.shift.keys()) mayAppear.add(path);
  }
  const existing = mayAppear.size === 0 ? [] : await listTree(repository, base);
  return createNames(
    existing.map((entry) => entry.path),
    mayAppear,
  );
}

async function foldOne(folding: Folding, tip: Tip, work: Work): Promise<void> {
  const { ledger, names, result } = folding;
  const missing = result.leftOut.filter((left) => tip.needs?.includes(left.taskId));
  if (missing.length > 0) {
    result.leftOut.push(ofNeeds(work.taskId, missing));
    return;
  }
  const placement = place(ledger, work);
  const joined =
    placement.kind === "direct"
      ? { ...join(work, placement.edits, placement.meets), ...treeAsIs(folding, tip, placement) }
      : await mergeTip(folding.repository, { base: folding.base, ledger, tip, work, placement });
  if ("reason" in joined) {
    result.leftOut.push(joined);
    return;
  }
  const clash = names.take(namesChanged(joined, placement.meets));
  if (clash) {
    result.leftOut.push(ofNames(clash, { taskId: work.taskId, with: holdersOf(ledger, clash) }));
    return;
  }
  accept(ledger, work, joined);
  result.folded.push(work.taskId);
  result.identical += placement.identical;
}

/** A tip on the fold's own base that met nobody: its tree is the tree of its group. */
function treeAsIs({ base }: Folding, tip: Tip, placement: Placement): { tree?: string } {
  const isAlone = placement.meets.length === 0 && placement.identical === 0 && tip.base === base.tree;
  return isAlone ? { tree: tip.tree } : {};
}

/** The accepted tasks that brought a name, or something below it. */
function holdersOf(ledger: Ledger, clash: Clash): TaskId[] {
  const paths = [...ledger.owner.keys()].filter((path) =>
    clash.names.some((name) => path === name || path.startsWith(`${name}/`)),
  );
  return editorsOf(ledger, paths);
}

/** One tree of the base and all accepted edits, compared with them afterwards. */
async function writeUnion({ repository, base, ledger }: Folding): Promise<string> {
  const edits = unite(new Set(ledger.owner.values()));
  const tree = await writeTree(repository, base.tree, [...edits.values()].map(toChange));
  const [written = []] = await editsOf(repository, [{ from: base.tree, to: tree }]);
  const isWhole = written.length === edits.size && written.every((edit) => edits.get(edit.path)?.after === edit.after);
  if (!isWhole) throw new Fault("internal", `the folded tree ${tree} is not the union of what was folded into it`);
  return tree;
}
