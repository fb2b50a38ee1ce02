import { nothingSpent } from "../../budget/job-budget.ts";
import { findDone } from "../../db/find-done.ts";
import { fact } from "../../protocol/event.ts";
import type { Task } from "../../protocol/task.ts";
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
  const found = await findDone(key, equipment.database);
  const parsed = found && fact.safeParse({ type: "task.finished", data: found.fact });
  if (!found || !parsed?.success || parsed.data.type !== "task.finished") return { key };
  const { data } = parsed.data;
  const restored = await restoreTask(task, data, job.repository);
  if (!restored || restored.start.tree !== start.tree) return { key };
  const reused = data.record?.reused ?? { job: found.job, task: found.task };
  const { commit } = restored;
  if (commit !== undefined) await keepWork(task, commit, job);
  return { key, done: { ...restored, start, attempts: 0, spent: nothingSpent, traceparents: [], reused, key } };
}

function isFresh({ id }: Task, { spec: { fresh } }: Job): boolean {
  return fresh === true || (fresh?.includes(id) ?? false);
}
