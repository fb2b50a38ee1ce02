import { z } from "zod";

/** What of a job that is over is done again: what did not succeed, and these tasks too, or all of it. */
export const retrying = z.strictObject({
  /** Ids of tasks that are done again although they succeeded. */
  tasks: z.array(z.string().min(1).max(200)).max(10_000).optional(),
  /** Nothing that was done before is reused. */
  fresh: z.boolean().optional(),
});
export type Retrying = z.infer<typeof retrying>;
