import { z } from "zod";
import { overrides } from "./overrides.ts";
import { part } from "./part.ts";
import { forecast, plannedJob } from "./plan.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "it must be 64 hexadecimal digits");

/**
 * What `sheaf plan -o FILE` writes and `sheaf run --locked FILE` executes: one plan of one job at one commit, with what
 * it stands on. Whoever executes it asks no planner, and refuses it where any of that has changed.
 */
export const planLock = z.strictObject({
  version: z.literal(1),
  /** The handle of the job that planned it; absent where nothing had to be run for it. */
  planned_by: z.string().max(200).optional(),
  /** Of the job: `sha256` of its JSON form and of all texts that it names. */
  of: z.strictObject({
    /** The job file, relative to this one. */
    file: z.string().min(1).max(4_096).optional(),
    sha256,
    /** The job itself where it was no file. */
    written: z.record(z.string(), z.unknown()).optional(),
    name: z.string().min(1).max(64),
    inputs: z.record(z.string().max(64), z.string().max(100_000)).optional(),
    overrides: overrides.optional(),
  }),
  base: z.strictObject({
    ref: z.string().min(1).max(1_000),
    commit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "it must be the id of a commit"),
    /** Uncommitted changes were taken in. */
    is_dirty: z.boolean().optional(),
  }),
  goal: z.string().optional(),
  agents: z.array(z.strictObject({ name: z.string(), path: z.string(), sha256 })),
  forecast: forecast.optional(),
  /** Of a planner. */
  plan: plannedJob.optional(),
  /** Of a split that no planner made. */
  parts: z.array(part.strict()).optional(),
});
export type PlanLock = z.infer<typeof planLock>;
