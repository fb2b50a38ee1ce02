import { z } from "zod";
import { leftover } from "./claim.ts";
import { usage } from "./message.ts";
import { outcome } from "./outcome.ts";
import { jobPlan } from "./plan.ts";
import { taskState } from "./task-state.ts";

/** `sheaf.result/v1`: what a job came to. Printed by `run --output-format json`; every consumer reads only this. */

export const denial = z.object({
  task: z.string(),
  tool: z.string(),
  input: z.string(),
  rule: z.string(),
  reason: z.string(),
});
export type Denial = z.infer<typeof denial>;

export const checkState = z.enum(["passed", "failed", "unverified", "skipped"]);

export const checkResult = z.object({
  name: z.string(),
  /** The tree it ran on. */
  at: z.string(),
  /** Where it is a check of one task's own tree. */
  task: z.string().optional(),
  state: checkState,
  duration_ms: z.number(),
  /** null where only an exit code is known and it says nothing about the number. */
  new_failures: z.number().int().nullable(),
  base_failures: z.number().int().nullable(),
  /** What fails or is found and was not at the base: names of tests, places of findings; the first of them. */
  failing: z.array(z.string()).optional(),
  exit: z.number().int().nullable().optional(),
  /** Why it is in this state, for a person. */
  detail: z.string().optional(),
  /** Last lines of what it printed, when it did not pass. */
  tail: z.string().optional(),
});
export type CheckResult = z.infer<typeof checkResult>;

export const reason = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
  task: z.string().optional(),
  check: z.string().optional(),
  log: z.string().optional(),
});
export type Reason = z.infer<typeof reason>;

/** Tokens and money of a job, or of one task: planning, retries and agents that others started included. */
export const resultUsage = z.object({
  ...usage.shape,
  cost_usd: z.number(),
  /** False: something of it has no price, and is not in `cost_usd`. */
  cost_known: z.boolean(),
});
export type ResultUsage = z.infer<typeof resultUsage>;

export const taskResult = z.object({
  id: z.string(),
  title: z.string(),
  state: taskState,
  landed: z.boolean(),
  reused: z.boolean(),
  /** Whose work it is, where it is reused: the handle of a job, and one of its tasks. */
  reused_from: z.object({ job: z.string(), task: z.string() }).optional(),
  attempts: z.number().int(),
  files_changed: z.number().int(),
  insertions: z.number().int(),
  deletions: z.number().int(),
  patch_file: z.string().optional(),
  /** Its own commit in Sheaf's repository, kept by a ref until it is collected. */
  commit: z.string().optional(),
  reason: reason.optional(),
  leftovers: z.array(leftover).optional(),
  /** What the agent said at the end. */
  summary: z.string().optional(),
  /** Absent where it asked no model. */
  usage: resultUsage.optional(),
});
export type TaskResult = z.infer<typeof taskResult>;

export const result = z.object({
  schema: z.literal("sheaf.result/v1"),
  job: z.object({ id: z.string(), handle: z.string(), name: z.string() }),
  outcome,
  exit_code: z.number().int(),
  reason: reason.optional(),
  base_commit: z.string(),
  result_commit: z.string().nullable(),
  result_tree: z.string().nullable(),
  published: z.union([z.object({ branch: z.string() }), z.object({ patch_file: z.string() })]).optional(),
  /** Of a job that somebody planned, or that ended with its plan. */
  plan: jobPlan.optional(),
  tasks: z.array(taskResult),
  /** Files no task could be given, with the reason: names that are not UTF-8, and so on. */
  unsplit: z.array(z.object({ path: z.string(), reason: z.string() })).optional(),
  checks: z.array(checkResult),
  denials: z.array(denial),
  limit: z.string().optional(),
  usage: resultUsage,
  trace_id: z.string(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  next: z.array(z.object({ command: z.string(), why: z.string() })),
});
export type Result = z.infer<typeof result>;
