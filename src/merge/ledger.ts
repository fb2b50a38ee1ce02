import type { TaskId } from "../protocol/ids.ts";
import type { RawPath } from "../workspace/raw-path.ts";
import { baseEntry, type Edit, type Entry, type Group, type Work } from "./group.ts";

/**
 * What a fold has accepted so far, and where the next task's edits go. It decides by entries alone and never looks at
 * contents: those are merged where it says that tasks meet, and nowhere else.
 */
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
function entryAt(ledger: Ledger, work: Work, edit: Edit): Entry {
  const accepted = ledger.owner.get(edit.path)?.edits.get(edit.path);
  return accepted ? accepted.after : baseEntry(work, edit);
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
