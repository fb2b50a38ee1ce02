import { createHash } from "node:crypto";
import { claimRun } from "../db/claim-run.ts";
import { createJob, findEarlier } from "../db/create-job.ts";
import type { Orm } from "../db/database.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobId, jobId, newUuid, runId } from "../protocol/ids.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import type { HeldWake } from "../queue/queue.ts";
import { keep } from "../workspace/tree.ts";
import type { Equipment } from "./equipment.ts";
import { withoutUnpriced } from "./gate/refuse-models.ts";
import { tenant } from "./gate/spending.ts";
import { startTrace } from "./job-trace.ts";
import { refuseUnrunnable } from "./refuse-unrunnable.ts";
import { type JobGround, type StartedJob, startJob } from "./start-job.ts";
import { tellListeners } from "./tell-listeners.ts";

export interface JobOrder extends JobGround {
  /** W3C traceparent of whoever asked. */
  traceparent?: string | undefined;
  /** What the client named its request by, and sha256 of the request: the same twice is one job. */
  idempotency?: { key: string; sha256: string } | undefined;
  /**
   * The same as it travels, for a coordinator in another process; absent on what came from one. `putBundle` sends a git
   * bundle ahead.
   */
  request?: ((putBundle: (file: string, sha256: string) => Promise<void>) => Promise<JobRequest>) | undefined;
}

/**
 * Stores the job with its first fact in one transaction, then starts it; or answers with the job that an earlier
 * request of the same key had made. Throws Fault when it cannot be taken.
 */
export async function submit(
  given: JobOrder,
  equipment: Equipment,
  id: JobId = jobId.parse(newUuid(equipment.clock)),
): Promise<{ started: StartedJob } | { earlier: { id: JobId; handle: string } }> {
  const { clock, database, node } = equipment;
  await equipment.room?.admit();
  const order = takenOrder(given, equipment);
  const { spec } = order;
  const earlier = order.idempotency && (await findEarlier(order.idempotency, database));
  if (earlier) return { earlier };
  await refuseUnrunnable(spec, order.repository, equipment);
  await keep(order.repository, `refs/sheaf/${id}/base`, spec.base.commit);
  const { tracer, span } = startTrace({ id, name: spec.name, traceparent: order.traceparent }, equipment);
  const wake = await announce(id, equipment);
  const wanted = { id, spec, specSha: specShaOf(given, equipment), traceId: span.traceId };
  const within = wake && ((orm: Orm) => confirm(wake, equipment, orm));
  const created = await createJob({ ...wanted, idempotency: order.idempotency, within }, clock, database).catch(
    async (thrown: unknown) => {
      await withdraw(wake, equipment);
      throw thrown;
    },
  );
  if (!created.isNew) {
    await withdraw(wake, equipment);
    span.end({ status: "error", message: "the same request was taken at the same time" });
    return { earlier: { id: created.jobId, handle: created.handle } };
  }
  const { runId: rootId, handle } = created;
  const root = await claimRun({ runId: rootId, owner: node }, clock, database);
  if (!root) throw new Fault("conflict", `job ${handle} was taken by another node`);
  const made = { type: "job.created" as const, data: { handle, spec } };
  order.onFact?.(rootId, made);
  tellListeners(equipment, { job: { id, traceId: span.traceId }, runId: rootId, facts: [made] });
  const own = { id, root, handle, span, tracer, startedAt: clock.now(), usedMs: 0, wake };
  return { started: startJob(own, order, equipment) };
}

/** Before it is stored, so that no other node takes it for one that nobody has. Throws Fault `overloaded`. */
async function announce(id: JobId, { jobs }: Equipment): Promise<HeldWake | undefined> {
  if (!jobs) return undefined;
  const wake = await jobs.hold({ runId: runId.parse(id), jobId: id, tenant, priority: 0 });
  if (wake) return wake;
  throw new Fault("overloaded", "this node has as many jobs as it may have", {
    remedy: "try again once one of them is done, or let another node take it",
  });
}

/**
 * Another node that was given the wake meanwhile has found no job, and has ended it: a job that is stored now nobody
 * would ever be woken for. Throws Fault `conflict` then.
 */
async function confirm(wake: HeldWake, { jobs }: Equipment, orm: Orm): Promise<void> {
  if (await jobs?.isHeld(wake, orm)) return;
  throw new Fault("conflict", "this node was silent for so long that others took it for dead; the job is not stored", {
    remedy: "send it again",
  });
}

async function withdraw(wake: HeldWake | undefined, { jobs }: Equipment): Promise<void> {
  if (wake) await jobs?.complete([wake]);
}

/** Of all that the job is to do, on which commit: the same twice is the same job. */
export function specShaOf(order: JobOrder, equipment: Equipment): string {
  return sha256(JSON.stringify(takenOrder(order, equipment).spec));
}

/** As it will be done. */
function takenOrder(order: JobOrder, equipment: Equipment): JobOrder {
  return { ...order, spec: withoutUnpriced(order.spec, equipment) };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
