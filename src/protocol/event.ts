import { z } from "zod";
import { approvalState } from "./approval.ts";
import { submission } from "./claim.ts";
import { failure } from "./failure.ts";
import { runId, taskId } from "./ids.ts";
import { jobSpec } from "./job.ts";
import { answerBlock, usage } from "./message.ts";
import { outcome } from "./outcome.ts";
import { task, unsplit } from "./task.ts";

/** An immutable fact in a run's log. A job's facts are in the log of its root run. */

/** A file an edit left behind: repository path, git mode (`100644`, `100755`, `120000`), blob id; null = deleted. */
export const changedFile = z.object({ path: z.string(), mode: z.string(), blob: z.string().nullable() });
export type ChangedFile = z.infer<typeof changedFile>;

/** Where a large result is, instead of its text: the file, the sha256 of its bytes, the lines shown. */
export const pointer = z.object({
  path: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  view_range: z.tuple([z.number().int(), z.number().int()]).optional(),
});
export type Pointer = z.infer<typeof pointer>;

export const taskState = z.enum(["succeeded", "no_changes", "failed", "blocked", "limit", "cancelled"]);
export type TaskState = z.infer<typeof taskState>;

const runFacts = [
  z.object({
    type: z.literal("run.started"),
    data: z.object({
      task_id: taskId,
      step: z.number().int(),
      attempt: z.number().int(),
      agent: z.string(),
      base_tree: z.string(),
      scope_sha256: z.string(),
    }),
  }),
  z.object({ type: z.literal("turn.started"), data: z.object({ turn: z.number().int(), model: z.string() }) }),
  z.object({
    type: z.literal("turn.finished"),
    data: z.object({ turn: z.number().int(), answer: z.array(answerBlock), usage, stop: z.string() }),
  }),
  z.object({
    type: z.literal("tool.intended"),
    data: z.object({ call_id: z.string(), tool: z.string(), rule: z.string() }),
  }),
  z.object({
    type: z.literal("tool.denied"),
    data: z.object({
      call_id: z.string(),
      tool: z.string(),
      /** The path (or the short form of the input) that was asked for. */
      input: z.string(),
      rule: z.string(),
      source: z.string(),
      reason: z.string(),
    }),
  }),
  z.object({
    type: z.literal("tool.finished"),
    data: z.object({
      call_id: z.string(),
      tool: z.string(),
      is_error: z.boolean(),
      content: z.string(),
      pointer: pointer.optional(),
      changed: z.array(changedFile).optional(),
    }),
  }),
  z.object({
    type: z.literal("run.finished"),
    data: z.object({
      state: z.enum(["succeeded", "failed", "cancelled"]),
      failure: failure.optional(),
      submission: submission.optional(),
      turns: z.number().int(),
      usage,
      /** The tree the coordinator took of the workspace; absent when nothing could be taken. */
      tree: z.string().optional(),
    }),
  }),
] as const;

const approvalFacts = [
  z.object({
    type: z.literal("approval.requested"),
    data: z.object({
      approval_id: z.string(),
      call_id: z.string(),
      tool: z.string(),
      input: z.string(),
      input_sha256: z.string(),
      rule: z.string(),
      source: z.string(),
      reason: z.string(),
      suggestion: z.string().optional(),
      expires_at: z.iso.datetime(),
    }),
  }),
  z.object({
    type: z.literal("approval.resolved"),
    data: z.object({
      approval_id: z.string(),
      call_id: z.string(),
      state: approvalState.exclude(["pending"]),
      remember: z.boolean(),
      decided_by: z.string().optional(),
      note: z.string().optional(),
    }),
  }),
] as const;

const jobFacts = [
  z.object({ type: z.literal("job.created"), data: z.object({ handle: z.string(), spec: jobSpec }) }),
  z.object({
    type: z.literal("job.planned"),
    data: z.object({ strategy: z.string(), tasks: z.array(task.omit({ steps: true })), unsplit: z.array(unsplit) }),
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

/** A fact before it has a place in a log. */
export const fact = z.discriminatedUnion("type", [...jobFacts, ...runFacts, ...approvalFacts]);
export type Fact = z.infer<typeof fact>;
export type FactType = Fact["type"];
/** The data of one kind of fact. */
export type FactData<T extends FactType> = Extract<Fact, { type: T }>["data"];

/** The facts a worker thread may report about its run; intents and all others are the coordinator's alone. */
export const threadFact = z.discriminatedUnion("type", [runFacts[1], runFacts[2], runFacts[4], runFacts[5]]);
export type ThreadFact = z.infer<typeof threadFact>;

/** A fact in its place: `seq` is gapless from 1 in each run; `at` is milliseconds since the epoch. */
export type Event = Fact & { run_id: string; seq: number; id: string; at: number; span_id?: string };
