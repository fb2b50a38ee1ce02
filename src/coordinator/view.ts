import type { StoredApproval } from "../db/find-approval.ts";
import type { StoredJob } from "../db/find-job.ts";
import type { findRun } from "../db/find-run.ts";
import type { listTasks } from "../db/list-tasks.ts";
import type { ApprovalView } from "../protocol/approval.ts";
import { failure } from "../protocol/failure.ts";
import { taskId } from "../protocol/ids.ts";
import type { JobView, RunView, TaskView } from "../protocol/job-view.ts";
import { result } from "../protocol/result.ts";
import { taskState } from "../protocol/task-state.ts";

/** Rows of the store as people and programs are shown them. */

export function jobView(job: StoredJob, atRest?: JobView["at_rest"]): JobView {
  return {
    id: job.id,
    handle: job.handle,
    name: job.name,
    state: job.state,
    ...(atRest ? { at_rest: atRest } : {}),
    ...(job.outcome ? { outcome: job.outcome } : {}),
    repository: job.repository,
    base_commit: job.baseCommit,
    trace_id: job.traceId,
    events: job.head,
    created_at: job.createdAt.toISOString(),
    ...(job.finishedAt ? { finished_at: job.finishedAt.toISOString() } : {}),
    ...(job.result === undefined ? {} : { result: result.parse(job.result) }),
  };
}

export function taskView(task: Awaited<ReturnType<typeof listTasks>>[number]): TaskView {
  return {
    id: taskId.parse(task.id),
    ordinal: task.ordinal,
    title: task.title,
    ...(task.state === null ? {} : { state: taskState.parse(task.state) }),
    landed: task.landed,
    ...(task.resultTree === null ? {} : { result_tree: task.resultTree }),
    ...(task.resultCommit === null ? {} : { result_commit: task.resultCommit }),
  };
}

export function runView(run: NonNullable<Awaited<ReturnType<typeof findRun>>>): RunView {
  return {
    id: run.id,
    job_id: run.jobId,
    ...(run.taskId === null ? {} : { task_id: taskId.parse(run.taskId) }),
    step: run.step,
    attempt: run.attempt,
    kind: run.kind,
    state: run.state,
    events: run.head,
    ...(run.failure === null ? {} : { failure: failure.parse(run.failure) }),
    created_at: run.createdAt.toISOString(),
    ...(run.startedAt === null ? {} : { started_at: run.startedAt.toISOString() }),
    ...(run.finishedAt === null ? {} : { finished_at: run.finishedAt.toISOString() }),
  };
}

/** One that nobody answered in time has expired, whether or not its owner is still there to say so. */
export function approvalView(row: StoredApproval, now: number): ApprovalView {
  const isLate = row.state === "pending" && row.expiresAt.getTime() <= now;
  return {
    id: row.id,
    job_id: row.jobId,
    run_id: row.runId,
    task_id: row.taskId,
    tool: row.tool,
    input: row.input,
    input_sha256: row.inputSha,
    rule: row.rule,
    source: row.source,
    reason: row.reason,
    ...(row.suggestion === null ? {} : { suggestion: row.suggestion }),
    state: isLate ? "expired" : row.state,
    remember: row.remember,
    ...(row.decidedBy === null ? {} : { decided_by: row.decidedBy }),
    ...(row.note === null ? {} : { note: row.note }),
    created_at: row.at.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    ...(row.decidedAt === null ? {} : { decided_at: row.decidedAt.toISOString() }),
  };
}
