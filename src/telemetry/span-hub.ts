import type { Clock } from "../protocol/ids.ts";
import type { SpanEnd, SpanMessage, SpanStart, StoredSpan } from "../protocol/span.ts";
import { limitSpan } from "./limit-span.ts";
import type { OpenFeed } from "./open-export.ts";
import { readSpanMessage } from "./read-message.ts";
import type { Redactor } from "./redact.ts";
import { attribute } from "./semconv.ts";
import { type Refusal, type RunOrigin, SpanBook, type SpanOwner } from "./span-book.ts";
import { endedRow, holdOpen } from "./span-row.ts";
import { SpanWriter } from "./span-writer.ts";
import { nanoseconds } from "./thread-tracer.ts";

/**
 * Where every span of every job comes together: redacted once, stored, and exported. The coordinator's own spans are
 * trusted; a thread's are not, beyond its own run. It never throws at, waits for or fails the work it records.
 */
export interface SpanHub {
  /** A span of the coordinator's own tracer. */
  accept(message: SpanMessage, owner: SpanOwner): void;
  /** What a run's thread posted, as it came. What is malformed or not below that run is dropped and counted. */
  acceptFromThread(message: unknown, run: RunOrigin): void;
  /**
   * Closes as errors the spans that a dead thread's run (by run id) or an ended job (by job id) left open. Call it
   * when no more of that owner's messages can come; a job's spans are then forgotten here.
   */
  closeOrphans(ownerId: string, reason: string): void;
  /** Exports a span of the server itself, which is no job's and is stored nowhere. Absent: nothing is exported. */
  readonly exportSpan: ((span: SpanEnd) => void) | undefined;
  /** Stores all that was accepted, and exports it as far as the collector takes it in a few seconds. Never rejects. */
  flush(): Promise<void>;
  /** flush(), then lets go of the exporter. */
  close(): Promise<void>;
  readonly counts: SpanCounts;
}

export interface SpanCounts {
  /** Spans that ended, by themselves or as orphans. */
  ended: number;
  orphans: number;
  rowsStored: number;
  rowsLost: number;
  exported: number;
  /** Not exported, though stored. */
  exportFailed: number;
  refused: Readonly<Record<Refusal, number>>;
}

export interface SpanHubOptions {
  /** Inserts or replaces rows by trace and span id. One call at a time, no span twice in a call. */
  store(rows: StoredSpan[]): Promise<void>;
  /** Absent: stored only. See open-export.ts. */
  openFeed?: OpenFeed | undefined;
  redact: Redactor;
  clock: Clock;
  /** Told once of each trouble with the store or the collector, redacted. */
  warn(message: string): void;
}

export function createSpanHub(options: SpanHubOptions): SpanHub {
  const warn = (message: string): void => options.warn(options.redact(message));
  const book = new SpanBook();
  const writer = new SpanWriter({ store: options.store, warn, clock: options.clock });
  const feed = options.openFeed?.(warn);
  const refused = { shape: 0, trace: 0, ancestry: 0, identity: 0, duplicate: 0, size: 0 };
  const totals = { ended: 0, orphans: 0 };

  function begin(given: SpanStart, owner: SpanOwner): void {
    const { start, bytes, row } = holdOpen(given, owner, options.redact);
    book.open(start, owner, bytes);
    writer.open({ span: start, bytes, row });
  }

  function finish(given: SpanEnd, owner: SpanOwner): void {
    const { content, bytes } = limitSpan(given, options.redact);
    const span = orderly({ ...given, ...content });
    book.end(span, owner);
    totals.ended += 1;
    writer.end({ span, bytes, row: () => endedRow(span, owner) });
    feed?.add(span, bytes);
  }

  function take(message: SpanMessage, owner: SpanOwner): void {
    if (message.at === "start") begin(message.span, owner);
    else {
      const opened = book.find(message.span);
      finish(opened ? { ...message.span, ...placeOf(opened.start) } : message.span, opened?.owner ?? owner);
    }
  }

  return {
    accept(message, owner) {
      const isKnown = book.hasEnded(message.span) || (message.at === "start" && book.find(message.span));
      if (isKnown) refused.duplicate += 1;
      else take(message, owner);
    },
    acceptFromThread(posted, run) {
      const message = readSpanMessage(posted);
      const refusal = message ? refusalOf(message, run, book) : "shape";
      if (refusal) refused[refusal] += 1;
      else if (message) take(ownLinksOnly(message), { jobId: run.jobId, runId: run.runId });
    },
    closeOrphans(ownerId, reason) {
      for (const { start, owner } of book.openOf(ownerId)) {
        totals.orphans += 1;
        finish(orphan(start, { reason, now: nanoseconds(options.clock) }), owner);
      }
      book.forgetJob(ownerId);
    },
    exportSpan:
      feed &&
      ((span) => {
        const { content, bytes } = limitSpan(span, options.redact);
        feed.add({ ...span, ...content }, bytes);
      }),
    async flush() {
      await Promise.all([writer.flush(), feed?.flush()]);
    },
    async close() {
      await Promise.all([writer.flush(), feed?.close()]);
      if (writer.waiting > 0) warn(`${writer.waiting} spans could not be stored`);
    },
    get counts() {
      const { exported = 0, failed = 0 } = feed?.counts ?? {};
      return { ...totals, ...writer.counts, exported, exportFailed: failed, refused: { ...refused } };
    },
  };
}

function refusalOf(message: SpanMessage, run: RunOrigin, book: SpanBook): Refusal | undefined {
  const { span } = message;
  if (!isTime(span.start_ns)) return "shape";
  if ("end_ns" in span && !(isTime(span.end_ns) && span.events.every((event) => isTime(event.at_ns)))) return "shape";
  return book.refusal(message.at, message.span, run);
}

/** Nanoseconds that fit the store's 64 bits. */
function isTime(ns: string): boolean {
  return (ns.length < 19 || (ns.length === 19 && ns <= latest)) && /^\d+$/.test(ns);
}

const latest = (2n ** 63n - 1n).toString();

/** A thread may not tie another trace to its own. */
function ownLinksOnly(message: SpanMessage): SpanMessage {
  if (message.at === "start" || message.span.links.length === 0) return message;
  const links = message.span.links.filter((link) => link.trace_id === message.span.trace_id);
  return { at: "end", span: { ...message.span, links } };
}

/** Where a span hangs and when it began was said at its start, and is not changed by its end. */
function placeOf(start: SpanStart): Pick<SpanStart, "trace_id" | "span_id" | "parent_span_id" | "kind" | "start_ns"> {
  const { trace_id, span_id, parent_span_id, kind, start_ns } = start;
  return { trace_id, span_id, kind, start_ns, ...(parent_span_id === undefined ? {} : { parent_span_id }) };
}

/** A clock that was set back makes no negative durations. */
function orderly(span: SpanEnd): SpanEnd {
  return BigInt(span.end_ns) < BigInt(span.start_ns) ? { ...span, end_ns: span.start_ns } : span;
}

function orphan(start: SpanStart, { reason, now }: { reason: string; now: string }): SpanEnd {
  const attributes = { ...start.attributes, [attribute.orphan]: true, [attribute.errorType]: "orphaned" };
  return { ...start, attributes, end_ns: now, status: "error", status_message: reason, events: [], links: [] };
}
