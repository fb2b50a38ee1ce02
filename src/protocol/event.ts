import { z } from "zod";
import { approvalDecision, approvalQuestion, approvalState } from "./approval.ts";
import { jobFacts } from "./job-fact.ts";
import { runFacts } from "./run-fact.ts";

/** An immutable fact in a run's log. A job's facts are in the log of its root run. */

const approvalFacts = [
  z.object({
    type: z.literal("approval.requested"),
    data: z.object({
      approval_id: z.string(),
      call_id: z.string(),
      ...approvalQuestion,
    }),
  }),
  z.object({
    type: z.literal("approval.resolved"),
    data: z.object({
      approval_id: z.string(),
      call_id: z.string(),
      state: approvalState.exclude(["pending"]),
      ...approvalDecision,
    }),
  }),
] as const;

/** A fact before it has a place in a log. */
export const fact = z.discriminatedUnion("type", [...jobFacts, ...runFacts, ...approvalFacts]);
export type Fact = z.infer<typeof fact>;
export type FactType = Fact["type"];
/** The data of one kind of fact. */
export type FactData<T extends FactType> = Extract<Fact, { type: T }>["data"];

/** What a thread may say that its agent was told: nothing in the name of a person or of a budget. */
const ownNotice = z.object({
  type: z.literal("run.notified"),
  data: runFacts[5].shape.data.extend({ kind: z.enum(["loop", "turns", "answer"]) }),
});

/** The facts a worker thread may report about its run; intents and all others are the coordinator's alone. */
export const threadFact = z.discriminatedUnion("type", [
  runFacts[1],
  runFacts[2],
  runFacts[3],
  runFacts[4],
  ownNotice,
  runFacts[7],
  runFacts[8],
]);
export type ThreadFact = z.infer<typeof threadFact>;

/** A fact in its place: `seq` is gapless from 1 in each run; `at` is milliseconds since the epoch. */
export type Event = Fact & { run_id: string; seq: number; id: string; at: number; span_id?: string };
