import { setTimeout as wait } from "node:timers/promises";
import { claimRun } from "../../db/claim-run.ts";
import { closeSpansOfRun } from "../../db/close-spans.ts";
import { storeRequest } from "../../db/store-request.ts";
import type { Failure } from "../../protocol/failure.ts";
import { type Job, JobStopped } from "../job.ts";
import { eventsOfRun } from "../resume/events-of.ts";
import { endPast } from "../resume/go-on.ts";
import type { PastRun } from "../resume/history.ts";
import type { FinishedRun } from "../tasks/step-order.ts";
import type { Ended } from "./ended-runs.ts";
import type { Spreading } from "./run-anywhere.ts";

interface Stopping {
  waiting: Promise<Ended>;
  job: Job;
  spreading: Spreading;
  take(found: Ended, past: PastRun, job: Job, spreading: Spreading): Promise<FinishedRun>;
}

/** A node that does a run hears within a second that it is to stop, and gets as long as this to come to an end. */
const graceMs = 5_000;

/**
 * The job's signal is aborted. Of a job that is only let go of, runs elsewhere go on; of one that ends, they are ended:
 * by the node that does them, or here, where no node has begun or does not answer.
 */
export async function stopElsewhere(past: PastRun, { waiting, job, spreading, take }: Stopping): Promise<FinishedRun> {
  const { equipment, runs } = spreading;
  const failure = reasonOf(job);
  // Throws where it is somebody else's: its runs are none of ours to end.
  await job.standing.confirm();
  await runs.withdraw([past.runId]);
  const queued = await endHere(past, { from: ["queued"], failure, job, spreading });
  if (queued) return queued;
  const { clock, database } = equipment;
  await storeRequest({ runId: past.runId, kind: "cancel", why: failure.message }, clock, database);
  const found = await Promise.race([waiting, wait(graceMs, undefined, { ref: false })]);
  if (found) return take(found, past, job, spreading);
  const ended = await endHere(past, { from: ["queued", "running", "waiting"], failure, job, spreading });
  return ended ?? take(await waiting, past, job, spreading);
}

function reasonOf({ signal }: Job): Failure {
  const reason: unknown = signal.reason;
  if (!(reason instanceof JobStopped)) throw reason;
  if (reason.failure.code === "handed_back") throw reason;
  return reason.failure;
}

async function endHere(
  past: PastRun,
  { from, failure, job, spreading }: Omit<Stopping, "waiting" | "take"> & { from: From; failure: Failure },
): Promise<FinishedRun | undefined> {
  const { equipment } = spreading;
  const { clock, database, node } = equipment;
  const claimed = await claimRun({ runId: past.runId, owner: node, from }, clock, database);
  if (!claimed) return undefined;
  const events = await eventsOfRun(past.runId, database);
  await closeSpansOfRun(claimed, database);
  const refusal = { failure, hasParted: true, claimed, past: { ...past, events } };
  const finished = await endPast(refusal, { job, equipment });
  if (finished.spent) await spreading.books.end(past, finished.spent, job);
  return { ...finished, hasParted: false };
}

type From = readonly ("queued" | "running" | "waiting")[];
