import { z } from "zod";

/** What is cleared away below a data folder, and what is left: `sheaf gc` (schema `sheaf.gc/v1`). */

/** Which jobs are kept. A job goes only when neither rule keeps it; without any rule all are kept. */
const retention = z.strictObject({
  /** Those that ended within so many milliseconds. */
  keep_ms: z.number().int().min(0).optional().meta({ description: "keep jobs that ended within so many milliseconds" }),
  /** The newest so many. */
  keep_jobs: z.number().int().min(0).optional().meta({ description: "keep the newest so many jobs" }),
});

export const collectionOrder = retention.extend({
  is_dry_run: z.boolean().default(true).meta({ description: "only say what would go" }),
  /** What belongs to jobs that the database does not know, such as those of another database. */
  has_unknown: z
    .boolean()
    .default(false)
    .meta({ description: "also what belongs to jobs that the database does not know, and is past `keep_ms`" }),
});
export type CollectionOrder = z.infer<typeof collectionOrder>;

export const collectionReport = z.object({
  schema: z.literal("sheaf.gc/v1"),
  is_dry_run: z.boolean(),
  /** What goes or has gone, most bytes first. */
  rows: z.array(z.object({ what: z.string(), count: z.number().int(), bytes: z.number().int(), why: z.string() })),
  /** What is not needed and stays all the same. */
  left: z.array(z.object({ what: z.string(), count: z.number().int(), why: z.string() })),
  /** Files that hold work which was nowhere else. */
  salvaged: z.array(z.object({ of: z.string(), file: z.string() })),
  /** What could not be removed. */
  failed: z.array(z.object({ what: z.string(), name: z.string(), why: z.string() })),
});
export type CollectionReport = z.infer<typeof collectionReport>;
