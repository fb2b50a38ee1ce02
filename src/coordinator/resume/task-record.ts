import { nothingSpent, type Spent } from "../../budget/job-budget.ts";
import type { FactData } from "../../protocol/event.ts";
import type { TaskRecord } from "../../protocol/record.ts";
import type { Task } from "../../protocol/task.ts";
import type { Repository } from "../../workspace/repository.ts";
import type { FinishedTask } from "../result/finished-task.ts";

/** What became of a task, into the log and out of it again. */

export function taskRecord(task: FinishedTask): TaskRecord {
  const { start, commit, denials, ignored, submissions, failure, checks, spent, traceparents, reused } = task;
  return {
    start: { tree: start.tree, commit: start.commit },
    ...(commit === undefined ? {} : { commit }),
    denials: [...denials],
    ignored: [...ignored],
    submissions: [...submissions],
    ...(failure ? { failure } : {}),
    checks: [...checks],
    spent: spentRecord(spent),
    traceparents: [...traceparents],
    ...(reused ? { reused } : {}),
  };
}

/**
 * Undefined where the fact has no record (it is of an older version), or the commit that it speaks of is gone: then the
 * task is done again.
 */
export async function restoreTask(
  task: Task,
  { record, ...fact }: Pick<FactData<"task.finished">, "state" | "attempts" | "tree" | "files_changed" | "record">,
  repository: Repository,
): Promise<FinishedTask | undefined> {
  if (!record || (fact.tree !== undefined && record.commit === undefined)) return undefined;
  for (const id of [record.start.commit, record.commit]) {
    if (id !== undefined && !(await repository.objects.info(id))) return undefined;
  }
  const { commit, failure, reused, spent, ...rest } = record;
  return {
    ...task,
    ...rest,
    state: fact.state,
    attempts: fact.attempts,
    filesChanged: fact.files_changed,
    ...(fact.tree === undefined ? {} : { tree: fact.tree }),
    ...(commit === undefined ? {} : { commit }),
    ...(failure ? { failure } : {}),
    spent: spentOf(spent),
    ...(reused ? { reused } : {}),
  };
}

function spentRecord({ usage, costNanoUsd, isCostKnown }: Spent): TaskRecord["spent"] {
  return { usage, cost_nano_usd: costNanoUsd, is_cost_known: isCostKnown };
}

/** Nothing is the same nothing everywhere: a task that asked no model has no usage to tell. */
function spentOf({ usage, cost_nano_usd, is_cost_known }: TaskRecord["spent"]): Spent {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = usage;
  if (input_tokens + output_tokens + cache_read_tokens + cache_write_tokens === 0) return nothingSpent;
  return { usage, costNanoUsd: cost_nano_usd, isCostKnown: is_cost_known };
}
