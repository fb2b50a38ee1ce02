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
  /** Every job that has recorded something. */
  readonly #jobs = new Set<string>();

  /** Why a thread may not say this of this span; undefined when it may. */
  refusal(at: "start" | "end", span: SpanStart, run: RunOrigin): Refusal | undefined {
    if (span.trace_id !== run.traceId) return "trace";
    if (span.span_id === run.parentSpanId) return "identity";
    const key = keyOf(span);
    const open = this.#open.get(key)?.owner;
    const ended = open ? undefined : this.#ended.get(key);
    const owner = open ?? ended;
    if (!owner) return this.#newcomer(at, span, run);
    if (owner.runId !== run.runId) return "identity";
    return ended || at === "start" ? "duplicate" : undefined;
  }

  open(start: SpanStart, owner: SpanOwner, bytes: number): void {
    const span = { start, owner, bytes };
    this.#open.set(keyOf(start), span);
    const load = this.#loadOf(owner);
    load.open.add(span);
    load.bytes += bytes;
    load.spans += 1;
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
    const load = this.#loadOf(known?.owner ?? owner);
    if (known) {
      load.open.delete(known);
      load.bytes -= known.bytes;
      this.#open.delete(key);
    } else load.spans += 1;
    this.#ended.set(key, known?.owner ?? owner);
    if (this.#ended.size > mostRemembered) this.#forgetOldest();
  }

  /** Open spans of a run or of a whole job, children before their parents. */
  openOf(ownerId: string): OpenSpan[] {
    if (!this.#jobs.has(ownerId)) return [...(this.#load.get(ownerId)?.open ?? [])].reverse();
    return [...this.#open.values()].filter(({ owner }) => owner.jobId === ownerId).reverse();
  }

  /** Once a job is over nothing more is said of its spans. What is no job is left alone. */
  forgetJob(jobId: string): void {
    if (!this.#jobs.delete(jobId)) return;
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

  #loadOf({ jobId, runId }: SpanOwner): Load {
    const id = runId ?? jobId;
    const known = this.#load.get(id);
    if (known) return known;
    const fresh: Load = { jobId, spans: 0, bytes: 0, open: new Set() };
    this.#load.set(id, fresh);
    this.#jobs.add(jobId);
    return fresh;
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
  /** Oldest first. */
  open: Set<OpenSpan>;
}

/** About 25 MB; what is forgotten first can still be stored and exported, it only no longer guards its id. */
const mostRemembered = 200_000;
const mostSpansOfRun = 100_000;
const mostOpenBytesOfRun = 8 * 1024 * 1024;

function keyOf(span: { trace_id: string; span_id: string }): string {
  return span.trace_id + span.span_id;
}
