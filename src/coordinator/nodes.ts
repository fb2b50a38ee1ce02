import { claimRun } from "../db/claim-run.ts";
import { findJob } from "../db/find-job.ts";
import { pausedAmong } from "../db/pauses.ts";
import { takeOverRuns } from "../db/take-over.ts";
import { Fault } from "../protocol/failure.ts";
import { runId } from "../protocol/ids.ts";
import type { HeldWake, Queue } from "../queue/queue.ts";
import type { Equipment } from "./equipment.ts";
import { giveBack } from "./give-back.ts";

/**
 * This process among others on the same database: it is given jobs whose node is gone, and told of those that it has lost.
 * It decides nothing of a job itself.
 */
export interface NodeWork {
  /** True when it goes on here, or has come to its end. Throws `database_newer` for a job of a later version. */
  takeUp(wake: HeldWake): Promise<boolean>;
  lost(wake: HeldWake): void;
}

/** So long a node takes up nothing, once it was given the job of a later version. */
const laterVersionMs = 30_000;

/** `isIdle`: it looks after its own jobs, and takes nobody else's. */
export function joinNodes(work: NodeWork, { isIdle }: { isIdle: boolean }, equipment: Equipment): void {
  const { jobs } = equipment;
  if (!jobs) return;
  const take = (wake: HeldWake) => void takeOrReturn(wake, work, { jobs, equipment });
  jobs.pump({ take, lost: (wake) => work.lost(wake), poison: (wake) => giveUp(wake, equipment) }, { isIdle });
}

async function takeOrReturn(
  wake: HeldWake,
  work: NodeWork,
  { jobs, equipment }: { jobs: Queue; equipment: Equipment },
): Promise<void> {
  try {
    const job = await findJob(wake.jobId, equipment.database);
    const isPaused = (await pausedAmong([wake.jobId], equipment.database)).size > 0;
    // Who tells a paused job to go on wakes it again.
    if (job?.state !== "running" || isPaused) return void (await jobs.complete([wake]));
    if (await work.takeUp(wake)) return;
  } catch (thrown) {
    equipment.warn?.(`job ${wake.jobId} could not be taken up: ${String(thrown)}`);
    if (isOfLater(thrown)) {
      jobs.pause(laterVersionMs);
      return giveBack(wake, equipment, 0);
    }
  }
  await giveBack(wake, equipment);
}

/** What a later version wrote is left to its nodes, which are not to wait for this one to try again. */
function isOfLater(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === "database_newer";
}

/** So many nodes have died with it that it is taken for the reason. */
async function giveUp(wake: HeldWake, equipment: Equipment): Promise<void> {
  const { clock, database, node } = equipment;
  const job = await findJob(wake.jobId, database);
  if (job?.state !== "running") return;
  const { eventsOf } = await import("./resume/events-of.ts");
  // In full before anything is claimed: what this version cannot read is left to whoever can.
  const before = await eventsOf(job.id, database);
  const from = ["queued", "waiting", "running"] as const;
  const root = await claimRun({ runId: runId.parse(job.id), owner: node, from }, clock, database);
  if (!root) return;
  // Whoever had it may only be frozen, and must add nothing to what is read here.
  const open = await takeOverRuns(job.id, node, database, { isAll: true });
  const { endInterrupted } = await import("./resume/end-interrupted.ts");
  const message = `${wake.crashes} processes that worked on it have died`;
  const events = [...before, ...(await eventsOf(job.id, database, before.length))];
  await endInterrupted({ job, root, events, open, reason: { code: "poison", message } }, equipment);
}
