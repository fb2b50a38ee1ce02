import { closeSpans } from "../db/close-spans.ts";
import type { StoredJob } from "../db/find-job.ts";
import { findSpan } from "../db/find-span.ts";
import type { JobId } from "../protocol/ids.ts";
import { attribute, jobSpan, operation } from "../telemetry/semconv.ts";
import { createTracer, type RootPlace, type Span, type Tracer } from "../telemetry/thread-tracer.ts";
import type { Equipment } from "./equipment.ts";

/** The root span of a job, which is the same whoever works on it: its id is made of the job's. */
export interface JobTrace {
  tracer: Tracer;
  span: Span;
}

export function startTrace(
  { id, name, traceparent }: { id: JobId; name: string; traceparent?: string | undefined },
  { hub, clock }: Equipment,
  again?: RootPlace["again"],
): JobTrace {
  const tracer = createTracer((message) => hub.accept(message, { jobId: id }), clock);
  const attributes = {
    [attribute.operation]: operation.workflow,
    [attribute.workflowName]: name,
    [attribute.agentName]: name,
    [attribute.jobId]: id,
  };
  const place = { spanId: rootSpanId(id), ...(again ? { again } : {}) };
  return { tracer, span: tracer.startRoot(jobSpan(name), { traceparent, attributes, place }) };
}

/**
 * The trace of a job that another process had begun, gone on with; what that one had left open is closed. `elsewhere`: its
 * runs that other nodes do, and record.
 */
export async function resumeTrace(
  { id, name, traceId, createdAt }: Pick<StoredJob, "id" | "name" | "traceId" | "createdAt">,
  elsewhere: ReadonlySet<string>,
  equipment: Equipment,
): Promise<JobTrace> {
  const spanId = rootSpanId(id);
  const left = { reason: "the process that recorded it ended", but: spanId, going: elsewhere };
  await closeSpans(id, left, equipment.database);
  const known = await findSpan({ traceId, spanId }, equipment.database);
  const startNs = known?.startNs ?? (BigInt(createdAt.getTime()) * 1_000_000n).toString();
  return startTrace({ id, name }, equipment, { traceId, parentSpanId: known?.parentSpanId, startNs });
}

/** The trace of a job that another process has: only what hangs from its root span is recorded here. */
export function traceOfOther(
  { id, name, traceId }: Pick<StoredJob, "id" | "name" | "traceId">,
  { hub, clock }: Equipment,
): JobTrace {
  const tracer = createTracer((message) => hub.accept(message, { jobId: id }), clock);
  const again = { traceId, parentSpanId: undefined, startNs: "0" };
  const silent = createTracer(() => {}, clock);
  return { tracer, span: silent.startRoot(jobSpan(name), { place: { spanId: rootSpanId(id), again } }) };
}

/** The random half of a UUIDv7 is one of 62 bits, and never all zero: its variant is in it. */
function rootSpanId(id: JobId): string {
  return id.replaceAll("-", "").slice(-16).toLowerCase();
}
