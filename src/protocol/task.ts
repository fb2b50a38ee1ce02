import { z } from "zod";
import { check } from "./check.ts";
import { part } from "./part.ts";
import { step } from "./step.ts";

/** One scoped piece of a job. `ordinal` is its place in dispatch and fold order, from 0. */
export const task = part.extend({
  ordinal: z.number().int().min(0),
  /** With `item` and `task` filled in. */
  steps: z.array(step),
  /** Of its own tree, beside those of the job. */
  own_checks: z.array(check).optional(),
});
export type Task = z.infer<typeof task>;

/** What a split could not hand to any task, and why: shown, never dropped in silence. */
export const unsplit = z.object({ path: z.string(), reason: z.string() });
export type Unsplit = z.infer<typeof unsplit>;
