import type { TaskId } from "../protocol/ids.ts";
import type { RawPath } from "../workspace/raw-path.ts";

/**
 * Tasks that met, as one set of edits. Groups share no path, so that a merge looks at the tasks it must and its result
 * does not depend on any other task. Pure: an entry is `mode oid`, null where there is nothing.
 */
export type Entry = string | null;

/** One path's change by one task, from that task's own base. */
export interface Edit {
  path: RawPath;
  before: Entry;
  after: Entry;
}

/** Tasks that met, and all they change together: `before` is the entry of the fold's base, and differs from `after`. */
export interface Group {
  members: readonly TaskId[];
  edits: ReadonlyMap<RawPath, Edit>;
  /** Every path that a member edited, even where the entry is the base's again. */
  touched: ReadonlySet<RawPath>;
  /** The tree of the base with just these edits, where it is known. */
  tree?: string;
}

export interface Work {
  taskId: TaskId;
  edits: readonly Edit[];
  /** Where this task's own base differs from the fold's: `before` is the fold's entry. Empty for most tasks. */
  shift: ReadonlyMap<RawPath, Edit>;
}

/** The group that a task forms with those it met, when it takes these edits as they are. */
export function join(work: Work, edits: readonly Edit[], meets: readonly Group[]): Group {
  const united = unite(meets);
  for (const edit of edits) {
    const before = baseOf(united, work, edit);
    if (before === edit.after) united.delete(edit.path);
    else united.set(edit.path, { path: edit.path, before, after: edit.after });
  }
  return { members: membersOf(meets, work), edits: united, touched: touchedBy(meets, edits) };
}

/** The group that a three-way merge made of a task and those it met: `edits` is all of it, against the base. */
export function joinMerged(
  work: Work,
  result: { edits: readonly Edit[]; tree: string },
  meets: readonly Group[],
): Group {
  const edits = new Map(result.edits.map((edit) => [edit.path, edit]));
  return { members: membersOf(meets, work), edits, touched: touchedBy(meets, work.edits), tree: result.tree };
}

function membersOf(meets: readonly Group[], work: Work): TaskId[] {
  return [...meets.flatMap((group) => group.members), work.taskId];
}

function touchedBy(meets: readonly Group[], edits: readonly Edit[]): Set<RawPath> {
  const touched = new Set(edits.map((edit) => edit.path));
  for (const group of meets) for (const path of group.touched) touched.add(path);
  return touched;
}

function baseOf(united: ReadonlyMap<RawPath, Edit>, work: Work, edit: Edit): Entry {
  const known = united.get(edit.path);
  return known ? known.before : baseEntry(work, edit);
}

/** The edits of all these groups as one map; groups never share a path. */
export function unite(groups: Iterable<Group>): Map<RawPath, Edit> {
  const united = new Map<RawPath, Edit>();
  for (const group of groups) for (const [path, edit] of group.edits) united.set(path, edit);
  return united;
}

/** Which names appear and which go when `joined` takes the place of the groups it met. */
export function namesChanged(joined: Group, met: readonly Group[]): { added: RawPath[]; removed: RawPath[] } {
  const old = unite(met);
  const added: RawPath[] = [];
  const removed: RawPath[] = [];
  for (const path of new Set([...old.keys(), ...joined.edits.keys()])) {
    const was = entryIn(old, joined.edits, path);
    const is = entryIn(joined.edits, old, path);
    if (was === null && is !== null) added.push(path);
    if (was !== null && is === null) removed.push(path);
  }
  return { added, removed };
}

/** The entry in one map; what it does not change is as in the base, which the other map knows. */
function entryIn(map: ReadonlyMap<RawPath, Edit>, other: ReadonlyMap<RawPath, Edit>, path: RawPath): Entry {
  const edit = map.get(path);
  return edit ? edit.after : (other.get(path)?.before ?? null);
}

/** What the base of the fold holds at the path of this edit. */
export function baseEntry(work: Work, edit: Edit): Entry {
  const shifted = work.shift.get(edit.path);
  return shifted ? shifted.before : edit.before;
}
