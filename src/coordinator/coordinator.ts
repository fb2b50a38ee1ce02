import { createHash } from "node:crypto";
import { claimRun } from "../db/claim-run.ts";
import { createJob } from "../db/create-job.ts";
import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobId, jobId, newUuid } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import { attribute, jobSpan, operation } from "../telemetry/semconv.ts";
import { createTracer } from "../telemetry/thread-tracer.ts";
import type { Repository } from "../workspace/repository.ts";
import { keep } from "../workspace/tree.ts";
import { requireSandbox } from "./check-tree.ts";
import type { Equipment } from "./equipment.ts";
import { type Job, JobStopped } from "./job.ts";
import { runJob } from "./run-job.ts";

/** Takes jobs in and lets them be followed and stopped. What a job does is told in run-job. */
export interface SubmittedJob {
  id: JobId;
  handle: string;
  /** Never rejects for anything the job met; only when its end could not be stored. */
  done: Promise<Result>;
  /** Keeps what is finished; the job ends `cancelled`. */
  cancel(signal?: "SIGINT" | "SIGTERM"): void;
}

export interface Submission {
  spec: JobSpec;
  repository: Repository;
  /** W3C traceparent of whoever asked. */
  traceparent?: string | undefined;
  /** Told each fact once it is stored, with the run it belongs to. Must not throw. */
  onFact?: (runId: string, fact: Fact) => void;
}

/** Stores the job with its first fact in one transaction, then starts it. Throws Fault when it cannot be taken. */
export async function submit(submission: Submission, equipment: Equipment): Promise<SubmittedJob> {
  const { spec, repository } = submission;
  if (spec.checks.length > 0) requireSandbox(equipment, `check ${JSON.stringify(spec.checks[0]?.name)}`);
  const id = jobId.parse(newUuid(equipment.clock));
  await keep(repository, `refs/sheaf/${id}/base`, spec.base.commit);
  const tracer = createTracer((message) => equipment.hub.accept(message, { jobId: id }), equipment.clock);
  const span = tracer.startRoot(jobSpan(spec.name), {
    traceparent: submission.traceparent,
    attributes: {
      [attribute.operation]: operation.workflow,
      [attribute.workflowName]: spec.name,
      [attribute.agentName]: spec.name,
      [attribute.jobId]: id,
    },
  });
  const { clock, database, node } = equipment;
  const specSha = sha256(JSON.stringify(spec));
  const { runId, handle } = await createJob({ id, spec, specSha, traceId: span.traceId }, clock, database);
  const root = await claimRun({ runId, owner: node }, clock, database);
  if (!root) throw new Fault("conflict", `job ${handle} was taken by another node`);
  submission.onFact?.(runId, { type: "job.created", data: { handle, spec } });
  const stop = new AbortController();
  const job = openJob({ id, root, handle, span, tracer, signal: stop.signal }, submission, equipment);
  const limit = setTimeout(() => stop.abort(timeIsUp(spec.limits.time_ms)), spec.limits.time_ms);
  const done = runJob(job, equipment).finally(() => clearTimeout(limit));
  return { id, handle, done, cancel: (signal) => stop.abort(cancelled(signal)) };
}

function openJob(
  own: Pick<Job, "id" | "root" | "handle" | "span" | "tracer" | "signal">,
  { spec, repository, onFact }: Submission,
  { writer, clock }: Equipment,
): Job {
  const append: Job["logRun"] = async (run, facts, spanId) => {
    await writer.append(run, facts, spanId ? { spanId } : {});
    for (const fact of facts) onFact?.(run.runId, fact);
  };
  return {
    ...own,
    spec,
    repository,
    startedAt: clock.now(),
    log: (facts) => append(own.root, facts),
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
