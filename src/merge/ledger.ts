import type { TaskId } from "../protocol/ids.ts";
import type { RawPath } from "../workspace/raw-path.ts";

/**
 * What a fold has accepted so far, and where the next task's edits go. It does no IO and never looks at contents:
 * an entry is `mode oid`, null where there is nothing. Tasks whose edits met form a group; groups share no path, so
 * that a merge looks at the tasks it must and its result does not depend on any other task.
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

export type Placement = Direct | Meeting;

/** Each edit starts from what is there now, or is there already: `edits` are the ones to take, nothing is merged. */
export interface Direct {
  kind: "direct";
  edits: readonly Edit[];
  /** Groups whose own edits these build on. */
  meets: readonly Group[];
  /** How many edits were there already. */
  identical: number;
}

/** A three-way merge with these groups decides. `collisions` are the paths that make it necessary. */
export interface Meeting {
  kind: "meeting";
  collisions: readonly RawPath[];
  meets: readonly Group[];
  identical: number;
}

export interface Ledger {
  owner: Map<RawPath, Group>;
  /** Accepted tasks by the paths they themselves edited. */
  editors: Map<RawPath, TaskId[]>;
  accepted: TaskId[];
}

export function createLedger(): Ledger {
  return { owner: new Map(), editors: new Map(), accepted: [] };
}

/** Decides by entries alone how a task's edits meet what was accepted before it. */
export function place(ledger: Ledger, work: Work): Placement {
  const fresh: Edit[] = [];
  const same: Edit[] = [];
  const collisions: RawPath[] = [];
  for (const edit of work.edits) {
    const now = entryAt(ledger, work, edit);
    if (now === edit.after) same.push(edit);
    else if (now === edit.before) fresh.push(edit);
    else collisions.push(edit.path);
  }
  const removed = same.filter((edit) => edit.after === null);
  if (removed.length > 0 && mayBeRename(work.edits, groupsAt(ledger, removed, []))) {
    collisions.push(...removed.map((edit) => edit.path));
  }
  const identical = same.length;
  const isDirect = collisions.length === 0;
  // What a task started from belongs to it: without that, its own edits need not make a tree.
  const meets = groupsAt(ledger, isDirect ? fresh : work.edits, work.shift.keys());
  return isDirect
    ? { kind: "direct", edits: fresh, meets, identical }
    : { kind: "meeting", collisions, meets, identical };
}

/** What the accepted tasks and the base hold at the path of this edit. */
export function entryAt(ledger: Ledger, work: Work, edit: Edit): Entry {
  const accepted = ledger.owner.get(edit.path)?.edits.get(edit.path);
  return accepted ? accepted.after : baseEntry(work, edit);
}

function baseEntry(work: Work, edit: Edit): Entry {
  const shifted = work.shift.get(edit.path);
  return shifted ? shifted.before : edit.before;
}

/**
 * Two tasks that delete the same file agree, unless one of them may have moved it: then only contents can say
 * whether the other's deletion, or another new name, contradicts the move.
 */
function mayBeRename(edits: readonly Edit[], groups: readonly Group[]): boolean {
  return edits.some(isAddition) || groups.some((group) => group.edits.values().some(isAddition));
}

function isAddition(edit: Edit): boolean {
  return edit.before === null;
}

function groupsAt(ledger: Ledger, edits: readonly Edit[], more: Iterable<RawPath>): Group[] {
  const found = new Set<Group>();
  const visit = (path: RawPath) => {
    const group = ledger.owner.get(path);
    if (group) found.add(group);
  };
  for (const edit of edits) visit(edit.path);
  for (const path of more) visit(path);
  return [...found];
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

/** Takes a task in: `joined` is the group it now belongs to, in place of the ones it met. */
export function accept(ledger: Ledger, work: Work, joined: Group): void {
  for (const path of joined.edits.keys()) ledger.owner.set(path, joined);
  for (const path of joined.touched) ledger.owner.set(path, joined);
  ledger.accepted.push(work.taskId);
  for (const edit of work.edits) {
    const editors = ledger.editors.get(edit.path);
    if (editors) editors.push(work.taskId);
    else ledger.editors.set(edit.path, [work.taskId]);
  }
}

/** Who, among the accepted tasks, edited any of these paths; in the order they were accepted. */
export function editorsOf(ledger: Ledger, paths: Iterable<RawPath>): TaskId[] {
  const found = new Set<TaskId>();
  for (const path of paths) for (const task of ledger.editors.get(path) ?? []) found.add(task);
  return ledger.accepted.filter((task) => found.has(task));
}
