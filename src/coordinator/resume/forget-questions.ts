import type { ClaimedRun } from "../../db/claim-run.ts";
import type { Around } from "../commands/setup.ts";
import { eventsOfRun } from "./events-of.ts";
import { withdrawLeft } from "./withdraw-left.ts";

/** Withdraws what a run asked, as nobody will act on an answer: in its log before its end. */
export async function forgetQuestions(run: ClaimedRun, { job, equipment }: Around): Promise<void> {
  const events = await eventsOfRun(run.runId, equipment.database);
  const facts = await withdrawLeft({ of: { runId: run.runId }, by: run, events }, equipment);
  if (facts.length > 0) await job.logRun(run, facts);
}
