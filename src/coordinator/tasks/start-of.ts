import { type Conflict, fold, type Tip } from "../../merge/fold.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { TaskId } from "../../protocol/ids.ts";
import type { Task } from "../../protocol/task.ts";
import type { Repository } from "../../workspace/repository.ts";
import { commitTree } from "../../workspace/tree.ts";
import type { FinishedTask } from "../result/finished-task.ts";

/**
 * What a task starts from: the fold of all it needs in task order, and never "landed so far". So the same needs give
 * the same tree, whoever finished first. A task whose needs did not all end well, or do not fit together, has no start.
 */
export interface Start {
  tree: string;
  commit: string;
}

export type Startable = { kind: "ready"; start: Start } | { kind: "never"; failure: Failure };

/** Gives the start of a task; all its needs have ended by then. */
export type StartOf = (task: Task, ended: ReadonlyMap<string, FinishedTask>) => Promise<Startable>;

/** Each set of needs is folded once, however many tasks share it. */
export function createStarts(repository: Repository, base: Start, tasks: readonly Task[]): StartOf {
  const known = new Map(tasks.map((task) => [task.id, task]));
  const folds = new Map<string, Promise<{ start: Start; leftOut: readonly Conflict[] }>>();
  return async (task, ended) => {
    const bad = task.needs.map((need) => ended.get(need)).find((need) => need && !endedWell(need));
    if (bad) return never(`it needs ${bad.id}, which ended ${bad.state}`);
    const tips = closureOf(task, known).flatMap((need) => tipOf(ended.get(need.id), known));
    if (tips.length === 0) return { kind: "ready", start: base };
    const key = tips.map((tip) => tip.ordinal).join();
    const folding = folds.get(key) ?? startFrom(repository, base, tips);
    folds.set(key, folding);
    const { start, leftOut } = await folding;
    return leftOut[0] ? never(unfitting(leftOut[0])) : { kind: "ready", start };
  };
}

function endedWell({ state }: FinishedTask): boolean {
  return state === "succeeded" || state === "no_changes";
}

/** What a task that changed something brings to a fold; nothing of one that did not. */
export function tipOf(task: FinishedTask | undefined, known: ReadonlyMap<string, Task>): Tip[] {
  if (task?.state !== "succeeded" || task.tree === undefined) return [];
  const needs = closureOf(task, known).map((need) => need.id);
  return [{ taskId: task.id, ordinal: task.ordinal, base: task.start.tree, tree: task.tree, needs }];
}

/** All that a task needs, and what that needs, in task order. */
export function closureOf(task: Task, known: ReadonlyMap<string, Task>): Task[] {
  const found = new Map<TaskId, Task>();
  const pending = [...task.needs];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const need = known.get(id);
    if (!need || found.has(id)) continue;
    found.set(id, need);
    pending.push(...need.needs);
  }
  return [...found.values()].sort((a, b) => a.ordinal - b.ordinal);
}

async function startFrom(repository: Repository, base: Start, tips: readonly Tip[]) {
  const { tree, leftOut } = await fold(repository, base, tips);
  const message = `What comes after ${tips.map((tip) => tip.taskId).join(", ")}`;
  const commit = await commitTree(repository, { tree, parents: [base.commit], message, at: 0 });
  return { start: { tree, commit }, leftOut };
}

function unfitting(conflict: Conflict): string {
  const others = conflict.with.length > 0 ? conflict.with.join(", ") : "the base";
  const where = conflict.paths.length > 0 ? ` in ${conflict.paths[0]}` : "";
  return `of what it needs, ${conflict.taskId} conflicts with ${others}${where}: ${conflict.reason}`;
}

function never(message: string): Startable {
  return { kind: "never", failure: { code: "needs", message } };
}
