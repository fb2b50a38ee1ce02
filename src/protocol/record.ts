import { z } from "zod";
import { submission } from "./claim.ts";
import { usage } from "./message.ts";
import { checkResult, denial, reason } from "./result.ts";

/**
 * All that whoever takes a job up again has to know of what was finished before: in the log with the end of each run and
 * task, so that nothing which has a result is done twice.
 */

const spentRecord = z.object({
  usage,
  cost_nano_usd: z.number().int(),
  is_cost_known: z.boolean(),
});

const ownDenial = denial.omit({ task: true });

/** Beside the state, the attempts and the number of files that the fact says anyway. */
export const taskRecord = z.object({
  /** What it started from. */
  start: z.object({ tree: z.string(), commit: z.string() }),
  /** On its start; absent when nothing changed. */
  commit: z.string().optional(),
  denials: z.array(ownDenial),
  ignored: z.array(z.string()),
  submissions: z.array(submission),
  /** With the end of what was printed, where that says why. */
  failure: reason.optional(),
  checks: z.array(checkResult),
  spent: spentRecord,
  traceparents: z.array(z.string()),
  /** Where it is the work of another job's task: done there, and of the same key. */
  reused: z.object({ job: z.string(), task: z.string() }).optional(),
});
export type TaskRecord = z.infer<typeof taskRecord>;

/** Beside the report and the tree that the fact says anyway. */
export const runRecord = z.object({
  denials: z.array(ownDenial),
  /** Repository paths that somebody was asked about and let be edited. */
  approved: z.array(z.string()).optional(),
  ignored: z.array(z.string()).optional(),
  refused: z.array(z.object({ path: z.string(), rule: z.literal("secret").optional(), reason: z.string() })).optional(),
  has_thread_died: z.boolean(),
  has_died_alone: z.boolean().optional(),
  has_ended_well: z.boolean().optional(),
  tail: z.string().optional(),
  failed: z.object({ text: z.string(), ending: z.string(), output: z.string() }).optional(),
  traceparent: z.string().optional(),
});
export type RunRecord = z.infer<typeof runRecord>;
