import { z } from "zod";
import { taskId } from "./ids.ts";
import { usage } from "./message.ts";

/** What a planner hands back, and what a lock file holds of it. Paths are globs, relative to the repository root. */
export const plannedTask = z.strictObject({
  id: taskId,
  title: z.string().min(1).max(200),
  /** What its agent is asked. */
  goal: z.string().min(1).max(20_000),
  /** What it may edit. Disjoint from that of every task it is not ordered with. */
  writes: z.array(z.string().min(1).max(4_096)).min(1).max(1_000),
  /** Where it should look first. */
  reads: z.array(z.string().min(1).max(4_096)).max(1_000).optional(),
  /** Commands that must be green on its own tree. */
  checks: z.array(z.string().min(1).max(4_000)).max(20).optional(),
  needs: z.array(taskId).max(1_000).optional(),
  /** One of the job's agents; absent: the job's model without instructions. */
  agent: z.string().optional(),
});
export type PlannedTask = z.infer<typeof plannedTask>;

export const plannedJob = z.strictObject({
  summary: z.string().min(1).max(4_000),
  tasks: z.array(plannedTask).min(1).max(1_000),
  /** `together`: no part of it is green alone. */
  land: z.enum(["green", "together"]).optional(),
});
export type PlannedJob = z.infer<typeof plannedJob>;

/** What a job is thought to take. Money is nano-USD; null where a model has no price. */
export const forecast = z.object({
  tasks: z.number().int(),
  turns: z.number().int(),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  nano_usd: z.number().int().nullable(),
  /** What the figures stand on, for a person. */
  basis: z.string(),
});
export type Forecast = z.infer<typeof forecast>;

/** How a check does at the commit the job starts from. `unrunnable`: it says nothing about any tree. */
export const baseCheck = z.object({
  name: z.string(),
  run: z.string(),
  state: z.enum(["green", "red", "unrunnable"]),
  exit: z.number().int().nullable(),
  duration_ms: z.number(),
  /** Why, for a person. */
  detail: z.string().optional(),
  /** It was found in the repository and says nothing, so the job goes on without it. */
  is_left_out: z.boolean().optional(),
});
export type BaseCheck = z.infer<typeof baseCheck>;

/** The plan of a job as its result shows it. */
export const jobPlan = z.object({
  strategy: z.string(),
  /** What the planner said, where there was one. */
  plan: plannedJob.optional(),
  /** Most of them are not told one by one: `files` counts what a task is about. */
  tasks: z.array(z.object({ id: z.string(), title: z.string(), files: z.number().int(), needs: z.array(z.string()) })),
  base_checks: z.array(baseCheck).optional(),
  forecast: forecast.optional(),
  /** Of the planner's own run, which the job's usage holds too. */
  usage: z.object({ turns: z.number().int(), tokens: usage, cost_nano_usd: z.number().int().nullable() }).optional(),
});
export type JobPlan = z.infer<typeof jobPlan>;
