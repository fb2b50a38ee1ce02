import type { Spent } from "../../budget/job-budget.ts";
import type { Submission } from "../../protocol/claim.ts";
import type { CheckResult, Denial, Reason } from "../../protocol/result.ts";
import type { Task } from "../../protocol/task.ts";
import type { TaskState } from "../../protocol/task-state.ts";
import type { SetupFailed } from "../commands/setup-failed.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { taskRecord } from "../resume/task-record.ts";
import { redactRecord } from "./redact-record.ts";

/** What became of a task: told to the log and the task's row in one place. */
export interface FinishedTask extends Task {
  state: TaskState;
  attempts: number;
  /** What it started from: the job's base, or the fold of what it needs. */
  start: { tree: string; commit: string };
  /** The tree of its last run, and the commit on its start that keeps it; absent when nothing changed. */
  tree?: string;
  commit?: string;
  filesChanged: number;
  denials: readonly Omit<Denial, "task">[];
  /** Files it wrote that git ignores, which are not taken. */
  ignored: readonly string[];
  submissions: readonly Submission[];
  /** Why it did not deliver. */
  failure?: Reason;
  /** Of the checks on its own tree. */
  checks: readonly CheckResult[];
  /** What all its runs took, those that died included. */
  spent: Spent;
  /** The spans of its runs. */
  traceparents: readonly string[];
  /** Names what it was asked; absent where it was never begun. */
  key?: string;
  /** Where another job's task of the same key did it. */
  reused?: { job: string; task: string };
  /** The job's setup fails, and so would every other task. */
  endsJob?: SetupFailed;
}

/** Writes it into the job's log and the task's row. */
export async function recordFinished(task: FinishedTask, job: Job, { redact }: Equipment): Promise<void> {
  const { id, state, attempts, filesChanged: files_changed, tree, commit, failure } = task;
  const said = failure && {
    code: failure.code,
    message: failure.message,
    ...(failure.remedy ? { remedy: failure.remedy } : {}),
  };
  const data = { task_id: id, state, attempts, files_changed, ...(tree ? { tree } : {}), record: taskRecord(task) };
  const result = tree && commit ? { resultTree: tree, resultCommit: commit } : {};
  const told = { ...data, ...(said ? { failure: said } : {}) };
  const isDone = state === "succeeded" || state === "no_changes";
  const again = isDone && task.key !== undefined ? { keySha: task.key, finished: redactRecord(told, redact) } : {};
  await job.log([{ type: "task.finished", data: told }], { task: { id, state, ...result, ...again } });
}
