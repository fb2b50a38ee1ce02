import { z } from "zod";
import { failure } from "./failure.ts";
import { jobId, runId, taskId } from "./ids.ts";
import { outcome } from "./outcome.ts";
import { result } from "./result.ts";
import { taskState } from "./task-state.ts";

/** What people and programs are shown of jobs, tasks and runs: on the screen, as JSON, over HTTP. Times are ISO 8601. */

export const jobView = z.object({
  id: jobId,
  /** What people type: `name-7`. */
  handle: z.string(),
  name: z.string(),
  state: z.enum(["running", "finished"]),
  /**
   * Nobody works on it although it has not finished: it is `paused`, or about to be (`pausing`), or its process is gone
   * (`interrupted`).
   */
  at_rest: z.enum(["interrupted", "pausing", "paused"]).optional(),
  /** Once it has finished. */
  outcome: outcome.optional(),
  repository: z.string(),
  base_commit: z.string(),
  trace_id: z.string(),
  /** How many facts the logs of its runs hold. */
  events: z.number().int(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().optional(),
  result: result.optional(),
});
export type JobView = z.infer<typeof jobView>;

export const taskView = z.object({
  id: taskId,
  ordinal: z.number().int(),
  title: z.string(),
  /** Absent until it has ended. */
  state: taskState.optional(),
  landed: z.boolean(),
  result_tree: z.string().optional(),
  result_commit: z.string().optional(),
});
export type TaskView = z.infer<typeof taskView>;

export const runView = z.object({
  id: runId,
  job_id: jobId,
  /** Absent on a job's root run. */
  task_id: taskId.optional(),
  step: z.number().int(),
  attempt: z.number().int(),
  kind: z.enum(["root", "agent", "command"]),
  state: z.enum(["queued", "running", "waiting", "succeeded", "failed", "cancelled"]),
  /** How many facts its log holds. */
  events: z.number().int(),
  failure: failure.optional(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().optional(),
  finished_at: z.iso.datetime().optional(),
});
export type RunView = z.infer<typeof runView>;
