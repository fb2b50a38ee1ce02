import { createHash } from "node:crypto";
import { join } from "node:path";
import { JobBudget } from "../budget/job-budget.ts";
import { claimRun } from "../db/claim-run.ts";
import { createJob, findEarlier } from "../db/create-job.ts";
import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobId, jobId, newUuid } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import type { Result } from "../protocol/result.ts";
import { attribute, jobSpan, operation } from "../telemetry/semconv.ts";
import { createTracer } from "../telemetry/thread-tracer.ts";
import { BlobFiles } from "../workspace/blob-files.ts";
import type { Repository } from "../workspace/repository.ts";
import { keep } from "../workspace/tree.ts";
import { Questions } from "./approvals/questions.ts";
import { openBrief } from "./brief/brief.ts";
import type { Equipment } from "./equipment.ts";
import { Notices } from "./gate/notices.ts";
import { withoutUnpriced } from "./gate/refuse-models.ts";
import { type Job, JobStopped } from "./job.ts";
import { refuseUnrunnable } from "./refuse-unrunnable.ts";
import { redactRecord } from "./result/redact-record.ts";
import { runJob } from "./run-job.ts";
import { clearAway } from "./tasks/clear-away.ts";
import { tellListeners } from "./tell-listeners.ts";

/** A job that was taken in and started. What it does is told in run-job. */
export interface StartedJob {
  id: JobId;
  handle: string;
  /** Never rejects for anything the job met; only when its end could not be stored. */
  done: Promise<Result>;
  /** Keeps what is finished; the job ends `cancelled`. */
  cancel(signal?: "SIGINT" | "SIGTERM"): void;
  questions: Questions;
  notices: Notices;
}

export interface JobOrder {
  spec: JobSpec;
  /** Stays open until the job is over. */
  repository: Repository;
  /** W3C traceparent of whoever asked. */
  traceparent?: string | undefined;
  /** What the client named its request by, and sha256 of the request: the same twice is one job. */
  idempotency?: { key: string; sha256: string } | undefined;
  /**
   * The same as it travels, for a coordinator in another process; absent on what came from one. `putBundle` sends a git
   * bundle ahead.
   */
  request?: ((putBundle: (file: string, sha256: string) => Promise<void>) => Promise<JobRequest>) | undefined;
  /** Told each fact once it is stored, with the run it belongs to. Must not throw. */
  onFact?: ((runId: string, fact: Fact) => void) | undefined;
}

/**
 * Stores the job with its first fact in one transaction, then starts it; or answers with the job that an earlier
 * request of the same key had made. Throws Fault when it cannot be taken.
 */
export async function submit(
  given: JobOrder,
  equipment: Equipment,
): Promise<{ started: StartedJob } | { earlier: { id: JobId; handle: string } }> {
  const { clock, database, node } = equipment;
  const order = { ...given, spec: withoutUnpriced(given.spec, equipment) };
  const { spec } = order;
  const earlier = order.idempotency && (await findEarlier(order.idempotency, database));
  if (earlier) return { earlier };
  await refuseUnrunnable(spec, order.repository, equipment);
  const id = jobId.parse(newUuid(clock));
  await keep(order.repository, `refs/sheaf/${id}/base`, spec.base.commit);
  const { tracer, span } = startTrace(id, order, equipment);
  const wanted = { id, spec, specSha: sha256(JSON.stringify(spec)), traceId: span.traceId };
  const created = await createJob({ ...wanted, idempotency: order.idempotency }, clock, database);
  if (!created.isNew) {
    span.end({ status: "error", message: "the same request was taken at the same time" });
    return { earlier: { id: created.jobId, handle: created.handle } };
  }
  const { runId, handle } = created;
  const root = await claimRun({ runId, owner: node }, clock, database);
  if (!root) throw new Fault("conflict", `job ${handle} was taken by another node`);
  const made = { type: "job.created" as const, data: { handle, spec } };
  order.onFact?.(runId, made);
  tellListeners(equipment, { job: { id, traceId: span.traceId }, runId, facts: [made] });
  return { started: start({ id, root, handle, span, tracer }, order, equipment) };
}

function start(own: Omit<OwnOfJob, "signal">, order: JobOrder, equipment: Equipment): StartedJob {
  const stop = new AbortController();
  const job = openJob({ ...own, signal: stop.signal }, order, equipment);
  const { time_ms } = order.spec.limits;
  const limit = setTimeout(() => stop.abort(timeIsUp(time_ms)), time_ms);
  const done = runAndClear(job, equipment).finally(() => clearTimeout(limit));
  const { questions, notices } = job;
  return {
    id: own.id,
    handle: own.handle,
    questions,
    notices,
    done,
    cancel: (signal) => stop.abort(cancelled(signal)),
  };
}

async function runAndClear(job: Job, equipment: Equipment): Promise<Result> {
  try {
    return await runJob(job, equipment);
  } finally {
    await clearAway({ dispose: () => job.blobs[Symbol.asyncDispose]() }, equipment);
  }
}

function startTrace(id: JobId, { spec, traceparent }: JobOrder, { hub, clock }: Equipment) {
  const tracer = createTracer((message) => hub.accept(message, { jobId: id }), clock);
  const attributes = {
    [attribute.operation]: operation.workflow,
    [attribute.workflowName]: spec.name,
    [attribute.agentName]: spec.name,
    [attribute.jobId]: id,
  };
  return { tracer, span: tracer.startRoot(jobSpan(spec.name), { traceparent, attributes }) };
}

type OwnOfJob = Pick<Job, "id" | "root" | "handle" | "span" | "tracer" | "signal">;

function openJob(own: OwnOfJob, { spec, repository, onFact }: JobOrder, equipment: Equipment): Job {
  const { writer, clock, redact } = equipment;
  const told = { id: own.id, traceId: own.span.traceId };
  const append: Job["logRun"] = async (run, said, spanId, also) => {
    const facts = said.map((fact) => redactRecord(fact, redact));
    await writer.append(run, facts, { ...(spanId ? { spanId } : {}), ...(also ? { also } : {}) });
    for (const fact of facts) onFact?.(run.runId, fact);
    tellListeners(equipment, { job: told, runId: run.runId, facts });
  };
  const log: Job["log"] = (facts, also) => append(own.root, facts, undefined, also);
  return {
    ...own,
    spec,
    repository,
    startedAt: clock.now(),
    brief: openBrief({ spec, repository, log }, equipment),
    questions: new Questions(),
    budget: new JobBudget(own.id, spec.limits, equipment.spending.jobLimit),
    notices: new Notices(),
    blobs: new BlobFiles(repository, join(equipment.home, "checkouts", `search-${own.id}`)),
    log,
    logRun: append,
  };
}

function timeIsUp(ms: number): JobStopped {
  return new JobStopped("limit", {
    code: "time",
    message: `the job's time of ${Math.round(ms / 1000)} s is up`,
    remedy: "raise limits.time, or split the job; finished tasks are kept",
  });
}

function cancelled(signal: "SIGINT" | "SIGTERM" | undefined): JobStopped {
  return new JobStopped("cancelled", { code: "cancelled", message: `cancelled by ${signal ?? "request"}` }, signal);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
