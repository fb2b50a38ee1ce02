import { nothingSpent } from "../../budget/job-budget.ts";
import { type DoneTask, findDone } from "../../db/find-done.ts";
import { fact } from "../../protocol/event.ts";
import type { Task } from "../../protocol/task.ts";
import type { Repository } from "../../workspace/repository.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { FinishedTask } from "../result/finished-task.ts";
import { keepWork } from "../tasks/keep-work.ts";
import type { Start } from "../tasks/start-of.ts";
import { taskKey } from "../tasks/task-key.ts";
import { restoreTask } from "./task-record.ts";

/**
 * Work that is done already, by its key: a job that comes again, or one of which a part was changed, does only what
 * nobody has done. Nothing is reused that did not end well, and nothing whose objects are gone.
 */
export interface Keyed {
  key: string;
  /** Undefined where it has to be done. */
  done?: FinishedTask;
}

export async function lookForDone(
  task: Task,
  start: Start,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<Keyed> {
  const key = taskKey(task, start, { job, equipment });
  if (isFresh(task, job)) return { key };
  for (const found of await findDone(key, equipment.database)) {
    const done = await restored(found, task, start, job.repository);
    if (!done) continue;
    if (done.commit !== undefined) await keepWork(task, done.commit, job);
    return { key, done: { ...done, key } };
  }
  return { key };
}

/** Undefined where it was made of something else, or what it came to is not here. */
async function restored(
  { job, task: id, fact: data }: DoneTask,
  task: Task,
  start: Start,
  repository: Repository,
): Promise<FinishedTask | undefined> {
  const parsed = fact.safeParse({ type: "task.finished", data });
  if (!parsed.success || parsed.data.type !== "task.finished") return undefined;
  const done = await restoreTask(task, parsed.data.data, repository);
  if (!done || done.start.tree !== start.tree) return undefined;
  const reused = parsed.data.data.record?.reused ?? { job, task: id };
  return { ...done, start, attempts: 0, spent: nothingSpent, traceparents: [], reused };
}

function isFresh({ id }: Task, { spec: { fresh } }: Job): boolean {
  return fresh === true || (fresh?.includes(id) ?? false);
}
