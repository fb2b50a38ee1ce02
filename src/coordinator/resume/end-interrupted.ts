import type { ClaimedRun } from "../../db/claim-run.ts";
import { closeSpans } from "../../db/close-spans.ts";
import type { StoredJob } from "../../db/find-job.ts";
import { finishJob } from "../../db/finish-job.ts";
import { withdrawApprovals } from "../../db/settle-approval.ts";
import type { Event, Fact } from "../../protocol/event.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { HeldWake } from "../../queue/queue.ts";
import { resolvedFact } from "../approvals/approval-decision.ts";
import type { Equipment } from "../equipment.ts";
import { foundPublished } from "../landing/found-published.ts";
import { leaving } from "../leaving.ts";
import { interruptedResult } from "../result/interrupted-result.ts";
import { usedInOpenRuns } from "../result/open-runs.ts";
import { tellListeners } from "../tell-listeners.ts";

interface Interrupted {
  job: StoredJob;
  root: ClaimedRun;
  events: readonly Event[];
  reason: Failure;
  /** Its end was asked for: that is what it comes to. */
  isCancelled?: boolean;
  /** Where this node has it among others. */
  wake?: HeldWake | undefined;
}

/** Ends a job that nobody can go on with, in the log, with what it had finished: it never looks alive. */
export async function endInterrupted(
  { job, root, events, reason: why, isCancelled = false, wake }: Interrupted,
  equipment: Equipment,
): Promise<void> {
  const { clock, database } = equipment;
  const published = await foundPublished(job, events, equipment);
  const result = interruptedResult(job, events, { endedAt: clock.now(), published, why: why.message, isCancelled });
  const { outcome, exit_code, reason } = result;
  const failure = { code: reason?.code ?? "interrupted", message: reason?.message ?? "interrupted" };
  const withdrawn = (await withdrawApprovals({ jobId: job.id, by: root }, clock, database)).map(resolvedFact);
  const facts: Fact[] = [...withdrawn, { type: "job.finished", data: { outcome, exit_code, result } }];
  await closeSpans(job.id, { reason: "the process that recorded it ended" }, database);
  const within = leaving(wake, equipment);
  await finishJob(root, { outcome, result, failure, facts, used: usedInOpenRuns(events), within }, clock, database);
  tellListeners(equipment, { job, runId: job.id, facts });
}
