import type { ClaimedRun } from "../../db/claim-run.ts";
import { withdrawApprovals } from "../../db/settle-approval.ts";
import { resolvedFact } from "../approvals/approval-decision.ts";
import type { Around } from "../commands/setup.ts";

/** Withdraws what a run asked, as nobody will act on an answer: in its log before its end. */
export async function forgetQuestions(run: ClaimedRun, { job, equipment }: Around): Promise<void> {
  const { clock, database } = equipment;
  const withdrawn = await withdrawApprovals({ runId: run.runId, by: run }, clock, database);
  if (withdrawn.length > 0) await job.logRun(run, withdrawn.map(resolvedFact));
}
