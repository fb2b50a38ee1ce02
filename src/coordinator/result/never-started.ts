import { nothingSpent } from "../../budget/job-budget.ts";
import type { Reason } from "../../protocol/result.ts";
import type { Task } from "../../protocol/task.ts";
import { SetupFailed } from "../commands/setup-failed.ts";
import { type Job, JobStopped } from "../job.ts";
import type { FinishedTask } from "./finished-task.ts";

/** A task that never began, as what it is: put out by what it needs, or by the end of the job. Pure. */
export function neverStarted(
  task: Task,
  why: { state: FinishedTask["state"]; failure: Reason },
  job: Pick<Job, "spec">,
): FinishedTask {
  const { tree, commit } = job.spec.base;
  return {
    ...task,
    ...why,
    start: { tree, commit },
    attempts: 0,
    filesChanged: 0,
    denials: [],
    ignored: [],
    submissions: [],
    checks: [],
    spent: nothingSpent,
    traceparents: [],
  };
}

/** What the end of the job makes of a task that had not begun. `cause` is what ended it, where that was no stop. */
export function stateAtEnd(signal: AbortSignal, cause: unknown): { state: FinishedTask["state"]; failure: Reason } {
  const reason: unknown = signal.reason;
  if (reason instanceof JobStopped) {
    return { state: reason.outcome === "limit" ? "limit" : "cancelled", failure: reason.failure };
  }
  const failure = { code: "not_started", message: "the job ended before this task began" };
  return { state: cause instanceof SetupFailed ? "failed" : "cancelled", failure };
}
