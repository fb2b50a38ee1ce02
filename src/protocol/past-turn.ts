import { z } from "zod";
import { runFacts } from "./run-fact.ts";

/**
 * A turn that the log of a run holds already: whoever goes on with the run takes its answer from there, and asks nobody
 * again.
 */
export const pastTurn = z.object({
  turn: z.number().int(),
  /** As they are in the log: the turn's intent, then one for each further attempt. */
  intents: z.array(z.discriminatedUnion("type", [runFacts[1], runFacts[2]])).min(1),
  /** Absent where the call was under way when its process ended. */
  answer: runFacts[3].shape.data
    .extend({ stop: z.enum(["end_turn", "tool_use", "max_tokens", "refusal", "pause_turn", "too_long"]) })
    .optional(),
  /** The log says that the last attempt came to nothing, or never went: it is counted there. */
  has_failed: z.boolean(),
});
export type PastTurn = z.infer<typeof pastTurn>;

/** Why an attempt is made again whose process ended before anybody heard the answer. */
export const interrupted = "interrupted";
