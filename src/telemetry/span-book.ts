import type { SpanStart } from "../protocol/span.ts";

/** Whose a span is: a run's, or the job's own. */
export interface SpanOwner {
  jobId: string;
  runId?: string;
}

/** A run as the coordinator knows it: the only trace and the only parent its thread may speak of. */
export interface RunOrigin {
  jobId: string;
  runId: string;
  traceId: string;
  /** The span of the traceparent the run was given. */
  parentSpanId: string;
}

export interface OpenSpan {
  start: SpanStart;
  owner: SpanOwner;
  bytes: number;
}

/** Why a span of a thread was not taken. */
export type Refusal = "shape" | "trace" | "ancestry" | "identity" | "duplicate" | "size";

/**
 * Remembers which spans are open and whose each span is, as long as their job lives. It takes no thread's word for
 * either: a thread may add spans below its own run, and end those, and nothing else.
 */
export class SpanBook {
  readonly #open = new Map<string, OpenSpan>();
  /** Oldest first. */
  readonly #ended = new Map<string, SpanOwner>();
  /** What each run (or job, of its own) has recorded and holds open. */
  readonly #load = new Map<string, Load>();

  /** Why a thread may not say this of this span; undefined when it may. */
  refusal(at: "start" | "end", span: SpanStart, run: RunOrigin): Refusal | undefined {
    if (span.trace_id !== run.traceId) return "trace";
    if (span.span_id === run.parentSpanId) return "identity";
    const owner = this.#ownerOf(span.trace_id, span.span_id);
    if (owner && owner.runId !== run.runId) return "identity";
    if (this.#ended.has(keyOf(span)) || (owner && at === "start")) return "duplicate";
    if (owner) return undefined;
    return this.#newcomer(at, span, run);
  }

  open(start: SpanStart, owner: SpanOwner, bytes: number): void {
    this.#open.set(keyOf(start), { start, owner, bytes });
    this.#weigh(owner, bytes, 1);
  }

  /** Undefined when it never started here. */
  find(span: SpanStart): OpenSpan | undefined {
    return this.#open.get(keyOf(span));
  }

  hasEnded(span: SpanStart): boolean {
    return this.#ended.has(keyOf(span));
  }

  end(span: SpanStart, owner: SpanOwner): void {
    const key = keyOf(span);
    const known = this.#open.get(key);
    if (known) this.#weigh(known.owner, -known.bytes, 0);
    else this.#weigh(owner, 0, 1);
    this.#open.delete(key);
    this.#ended.set(key, known?.owner ?? owner);
    if (this.#ended.size > mostRemembered) this.#forgetOldest();
  }

  /** Open spans of a run or of a whole job, children before their parents. */
  openOf(ownerId: string): OpenSpan[] {
    return [...this.#open.values()].filter(({ owner }) => isOf(owner, ownerId)).reverse();
  }

  /** Once a job is over nothing more is said of its spans. */
  forgetJob(jobId: string): void {
    for (const [key, owner] of this.#ended) if (owner.jobId === jobId) this.#ended.delete(key);
    for (const [id, load] of this.#load) if (load.jobId === jobId) this.#load.delete(id);
  }

  #newcomer(at: "start" | "end", span: SpanStart, run: RunOrigin): Refusal | undefined {
    const parent = span.parent_span_id;
    if (parent === undefined || parent === span.span_id) return "ancestry";
    const isBelowRun = parent === run.parentSpanId || this.#ownerOf(span.trace_id, parent)?.runId === run.runId;
    if (!isBelowRun) return "ancestry";
    const load = this.#load.get(run.runId);
    if (!load) return undefined;
    return load.spans >= mostSpansOfRun || (at === "start" && load.bytes >= mostOpenBytesOfRun) ? "size" : undefined;
  }

  #ownerOf(traceId: string, spanId: string): SpanOwner | undefined {
    const key = traceId + spanId;
    return this.#open.get(key)?.owner ?? this.#ended.get(key);
  }

  #weigh(owner: SpanOwner, bytes: number, spans: number): void {
    const id = owner.runId ?? owner.jobId;
    const load = this.#load.get(id) ?? { jobId: owner.jobId, spans: 0, bytes: 0 };
    this.#load.set(id, { jobId: owner.jobId, spans: load.spans + spans, bytes: load.bytes + bytes });
  }

  #forgetOldest(): void {
    for (const key of this.#ended.keys()) {
      this.#ended.delete(key);
      return;
    }
  }
}

interface Load {
  jobId: string;
  spans: number;
  bytes: number;
}

/** About 25 MB; what is forgotten first can still be stored and exported, it only no longer guards its id. */
const mostRemembered = 200_000;
const mostSpansOfRun = 100_000;
const mostOpenBytesOfRun = 8 * 1024 * 1024;

function keyOf(span: { trace_id: string; span_id: string }): string {
  return span.trace_id + span.span_id;
}

function isOf(owner: SpanOwner, ownerId: string): boolean {
  return owner.runId === ownerId || owner.jobId === ownerId;
}
