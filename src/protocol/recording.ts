import { z } from "zod";
import { taskId } from "./ids.ts";
import { answerBlock, usage } from "./message.ts";
import { opening } from "./run-fact.ts";

/** What a recorded run was told of one call: its text, or which bytes of a file it saw. */
export const recordedResult = z.object({
  call_id: z.string(),
  tool: z.string(),
  is_error: z.boolean(),
  /** As the model saw it; where `file` is given, only a note of it. */
  text: z.string(),
  file: z
    .object({
      path: z.string(),
      sha256: z.string(),
      view_range: z.tuple([z.number().int(), z.number().int()]).optional(),
    })
    .optional(),
});
export type RecordedResult = z.infer<typeof recordedResult>;

/** One model call of a recorded run: what was new in the request, and the answer. */
export const recordedTurn = z.object({
  turn: z.number().int(),
  /** Of the first turn. */
  opening: opening.optional(),
  /** Of the calls of the answer before. */
  results: z.array(recordedResult),
  answer: z.array(answerBlock),
  stop: z.string(),
  usage,
  /** Who gave it. */
  model: z.string(),
});
export type RecordedTurn = z.infer<typeof recordedTurn>;

export const recordedRun = z.object({
  task_id: taskId,
  step: z.number().int(),
  attempt: z.number().int(),
  agent: z.string(),
  /** Absent: it never ended. */
  state: z.enum(["succeeded", "failed", "cancelled"]).optional(),
  turns: z.array(recordedTurn),
});
export type RecordedRun = z.infer<typeof recordedRun>;

/** All that agents of a job asked and were answered: what `sheaf logs --output-format recording` writes. */
export const recording = z.object({
  schema: z.literal("sheaf.recording/v1"),
  /** The job's handle. */
  job: z.string(),
  runs: z.array(recordedRun),
});
export type Recording = z.infer<typeof recording>;
