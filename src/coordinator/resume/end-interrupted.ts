import type { ClaimedRun } from "../../db/claim-run.ts";
import { closeSpans } from "../../db/close-spans.ts";
import type { StoredJob } from "../../db/find-job.ts";
import { finishJob } from "../../db/finish-job.ts";
import type { Event, Fact } from "../../protocol/event.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { HeldWake } from "../../queue/queue.ts";
import type { Equipment } from "../equipment.ts";
import { foundPublished } from "../landing/found-published.ts";
import { leaving } from "../leaving.ts";
import { interruptedResult } from "../result/interrupted-result.ts";
import { tellListeners } from "../tell-listeners.ts";
import { endOthers } from "./end-runs.ts";
import { withdrawLeft } from "./withdraw-left.ts";

interface Interrupted {
  job: StoredJob;
  root: ClaimedRun;
  events: readonly Event[];
  /** Its runs that nobody ended, all of which the caller has taken. */
  open: ReadonlyMap<string, ClaimedRun>;
  reason: Failure;
  /** Its end was asked for: that is what it comes to. */
  isCancelled?: boolean;
  /** Where this node has it among others. */
  wake?: HeldWake | undefined;
}

/** Ends a job that nobody can go on with, in the log, with what it had finished: it never looks alive. */
export async function endInterrupted(
  { job, root, events, open, reason: why, isCancelled = false, wake }: Interrupted,
  equipment: Equipment,
): Promise<void> {
  const { clock, database } = equipment;
  const published = await foundPublished(job, events, equipment);
  const result = interruptedResult(job, events, { endedAt: clock.now(), published, why: why.message, isCancelled });
  const { outcome, exit_code, reason } = result;
  const failure = { code: reason?.code ?? "interrupted", message: reason?.message ?? "interrupted" };
  const withdrawn = await withdrawLeft({ of: { jobId: job.id }, by: root, events }, equipment);
  await endOthers({ events, open }, new Map(), equipment);
  const facts: Fact[] = [...withdrawn, { type: "job.finished", data: { outcome, exit_code, result } }];
  await closeSpans(job.id, { reason: "the process that recorded it ended" }, database);
  const within = leaving(wake, equipment);
  await finishJob(root, { outcome, result, failure, facts, within }, clock, database);
  tellListeners(equipment, { job, runId: job.id, facts });
}
