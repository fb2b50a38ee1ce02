import { z } from "zod";
import { failure } from "./failure.ts";
import { runId, taskId } from "./ids.ts";
import { jobSpec } from "./job.ts";
import { outcome } from "./outcome.ts";
import { baseCheck, forecast, plannedJob } from "./plan.ts";
import { taskRecord } from "./record.ts";
import { task, unsplit } from "./task.ts";
import { taskState } from "./task-state.ts";

/** The facts of a job, in the log of its root run. */

/** Whose budget it is: one run of an agent, a task, the job, or the tenant's day. */
export const budgetScope = z.enum(["run", "task", "job", "day"]);
export type BudgetScope = z.infer<typeof budgetScope>;

/** Tokens, or nano-USD. `id` is the run, task, job or day. */
const budgetState = { id: z.string(), spent: z.number().int(), reserved: z.number().int(), limit: z.number().int() };

export const jobFacts = [
  z.object({ type: z.literal("job.created"), data: z.object({ handle: z.string(), spec: jobSpec }) }),
  z.object({
    type: z.literal("job.planned"),
    data: z.object({
      strategy: z.string(),
      tasks: z.array(task.omit({ steps: true })),
      unsplit: z.array(unsplit),
      /** What the tasks were made of, where somebody planned them. */
      plan: plannedJob.optional(),
      base_checks: z.array(baseCheck).optional(),
      forecast: forecast.optional(),
    }),
  }),
  /** Somebody goes on with it, whose process is another one. Nobody worked on it since the event before. */
  z.object({ type: z.literal("job.resumed"), data: z.object({ epoch: z.number().int() }) }),
  /** What all its runs are told in front: `sha256` is an artifact id. The repository's own files are untrusted. */
  z.object({
    type: z.literal("job.briefed"),
    data: z.object({ sha256: z.string(), sources: z.array(z.object({ path: z.string(), sha256: z.string() })) }),
  }),
  z.object({
    type: z.literal("budget.warned"),
    data: z.object({ scope: budgetScope, of: z.enum(["usd", "tokens"]), percent: z.number().int(), ...budgetState }),
  }),
  z.object({
    type: z.literal("budget.exhausted"),
    data: z.object({ scope: budgetScope, of: z.enum(["usd", "tokens"]), ...budgetState }),
  }),
  z.object({
    type: z.literal("setup.started"),
    data: z.object({ key: z.string(), tree: z.string(), run: z.string() }),
  }),
  z.object({
    type: z.literal("setup.finished"),
    data: z.object({
      /** Names the prepared files: sha256 of the command and the dependency manifests. */
      key: z.string(),
      is_reused: z.boolean(),
      exit: z.number().int().nullable(),
      duration_ms: z.number(),
      /** Artifact id (sha256) of the captured output; absent when an earlier one was reused. */
      output: z.string().optional(),
    }),
  }),
  z.object({
    type: z.literal("task.started"),
    data: z.object({ task_id: taskId, run_id: runId, attempt: z.number().int(), step: z.number().int() }),
  }),
  z.object({
    type: z.literal("task.finished"),
    data: z.object({
      task_id: taskId,
      state: taskState,
      attempts: z.number().int(),
      tree: z.string().optional(),
      files_changed: z.number().int(),
      failure: failure.optional(),
      /** For whoever takes the job up again. */
      record: taskRecord.optional(),
    }),
  }),
  z.object({
    type: z.literal("merge.folded"),
    data: z.object({ tree: z.string(), folded: z.array(taskId), left_out: z.array(taskId), ms: z.number() }),
  }),
  z.object({
    type: z.literal("merge.conflicted"),
    data: z.object({ task_id: taskId, paths: z.array(z.string()), reason: z.string(), hunks: z.string() }),
  }),
  z.object({ type: z.literal("merge.landed"), data: z.object({ tree: z.string(), commit: z.string() }) }),
  z.object({
    type: z.literal("check.started"),
    /** `task_id` where it is a check of one task's own tree. */
    data: z.object({ name: z.string(), tree: z.string(), run: z.string(), task_id: taskId.optional() }),
  }),
  z.object({
    type: z.literal("check.finished"),
    data: z.object({
      name: z.string(),
      tree: z.string(),
      task_id: taskId.optional(),
      exit: z.number().int().nullable(),
      signal: z.string().nullable(),
      timed_out: z.boolean(),
      duration_ms: z.number(),
      /** Artifact id (sha256) of the captured output. */
      output: z.string(),
    }),
  }),
  z.object({ type: z.literal("publish.intended"), data: z.object({ kind: z.string(), target: z.string() }) }),
  z.object({
    type: z.literal("publish.finished"),
    data: z.object({ kind: z.string(), target: z.string(), failure: failure.optional() }),
  }),
  /** `result` is a `sheaf.result/v1` document (result.ts), kept as written so that old logs stay readable. */
  z.object({
    type: z.literal("job.finished"),
    data: z.object({ outcome, exit_code: z.number().int(), result: z.record(z.string(), z.unknown()) }),
  }),
] as const;
