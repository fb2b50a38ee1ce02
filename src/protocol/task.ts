import { z } from "zod";
import { taskId } from "./ids.ts";
import { step } from "./job.ts";
import { pathPattern } from "./scope.ts";

/** One scoped piece of a job. `ordinal` is its place in dispatch and fold order, from 0. */
export const task = z.object({
  id: taskId,
  ordinal: z.number().int().min(0),
  title: z.string(),
  /** The files it is about, at the base; a recipe looks at these. */
  files: z.array(z.string()),
  /** What it may edit. Disjoint from its siblings' unless the job says otherwise. */
  writes: z.array(pathPattern),
  steps: z.array(step),
});
export type Task = z.infer<typeof task>;

/** What a split could not hand to any task, and why: shown, never dropped in silence. */
export const unsplit = z.object({ path: z.string(), reason: z.string() });
export type Unsplit = z.infer<typeof unsplit>;
