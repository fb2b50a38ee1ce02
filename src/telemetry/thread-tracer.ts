import { Fault } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import type { Attributes, SpanEnd, SpanMessage, SpanStart } from "../protocol/span.ts";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

/**
 * Records spans and hands each start and each end to a sink at once: it keeps nothing back, so a dying thread takes
 * no ended span with it. It neither redacts, samples nor exports; that is the span hub's, on the main thread.
 *
 * It imports no OpenTelemetry package on purpose. Loading `@opentelemetry/sdk-trace` in a worker thread for the
 * provider alone adds 60 ms of CPU and 3.5 MB of heap to its start (Node 24.21, two cores, median of 7); what it
 * would do for us is the hundred lines below.
 */
export interface Tracer {
  /** `parent` is a span of ours or the traceparent we were handed. Throws Fault `internal` when that is malformed. */
  start(name: string, options: SpanOptions & { parent: Span | string }): Span;
  /**
   * A job's root span, the only one that may lack a parent: it continues the caller's trace when `traceparent` is a
   * valid one, and begins a new trace otherwise.
   */
  startRoot(name: string, options?: SpanOptions & { traceparent?: string | undefined; place?: RootPlace }): Span;
}

/** Of a job that another process may go on with: both record one and the same span. */
export interface RootPlace {
  spanId: string;
  /** Where it was begun before. */
  again?: { traceId: string; parentSpanId: string | undefined; startNs: string };
}

export interface SpanOptions {
  kind?: SpanStart["kind"];
  attributes?: AttributeInput;
  /** Other spans (or their traceparents) this one is about. What is malformed is left out. */
  links?: readonly (Span | string)[];
}

/** Attributes as callers have them: an undefined value is left out. */
export type AttributeInput = Readonly<Record<string, Attributes[string] | undefined>>;

export interface Span {
  /** W3C traceparent of this span: what its children in other threads and processes are given. */
  readonly traceparent: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Ignored once the span has ended. */
  set(attributes: AttributeInput): void;
  event(name: string, attributes?: AttributeInput): void;
  /** Ending twice is a no-op: the first end counts. */
  end(options?: { status?: "ok" | "error"; message?: string }): void;
}

/** Fractions of a millisecond of `clock.now()` are kept. */
export function createTracer(sink: (message: SpanMessage) => void, clock: Clock): Tracer {
  return {
    start(name, options) {
      const parent = contextOf(options.parent);
      if (!parent) throw new Fault("internal", `span ${name}: its parent is not a traceparent`);
      return startSpan(name, { ...options, traceId: parent.traceId, parentSpanId: parent.spanId }, { sink, clock });
    },
    startRoot(name, options = {}) {
      const { place, traceparent } = options;
      const caller = traceparent === undefined ? undefined : parseTraceparent(traceparent);
      const begun = { traceId: caller?.traceId ?? newId(clock, 16), parentSpanId: caller?.spanId };
      const spanId = place?.spanId;
      return startSpan(name, { ...options, ...begun, ...place?.again, spanId }, { sink, clock });
    },
  };
}

type Place = SpanOptions & {
  traceId: string;
  parentSpanId: string | undefined;
  spanId?: string | undefined;
  startNs?: string;
};

interface Surroundings {
  sink: (message: SpanMessage) => void;
  clock: Clock;
}

function startSpan(name: string, place: Place, { sink, clock }: Surroundings): Span {
  const start: SpanStart = {
    trace_id: place.traceId,
    span_id: place.spanId ?? newId(clock, 8),
    ...(place.parentSpanId === undefined ? {} : { parent_span_id: place.parentSpanId }),
    name,
    kind: place.kind ?? "internal",
    start_ns: place.startNs ?? nanoseconds(clock),
    attributes: defined(place.attributes),
  };
  const links = (place.links ?? []).flatMap(linkOf);
  const events: SpanEnd["events"] = [];
  let attributes = start.attributes;
  let isOpen = true;
  sink({ at: "start", span: start });
  return {
    traceId: start.trace_id,
    spanId: start.span_id,
    get traceparent() {
      return formatTraceparent({ traceId: start.trace_id, spanId: start.span_id, isSampled: true });
    },
    set(more) {
      if (isOpen) attributes = { ...attributes, ...defined(more) };
    },
    event(eventName, more) {
      if (!isOpen || events.length >= mostEvents) return;
      events.push({ name: eventName, at_ns: nanoseconds(clock), attributes: defined(more) });
    },
    end(options = {}) {
      if (!isOpen) return;
      isOpen = false;
      const message = options.message === undefined ? {} : { status_message: options.message };
      const outcome = { status: options.status ?? "unset", ...message } as const;
      sink({ at: "end", span: { ...start, attributes, end_ns: nanoseconds(clock), ...outcome, events, links } });
    },
  };
}

/** Beyond these a span's events are left out, so that a loop that records one each round stays bounded. */
const mostEvents = 1_000;

function contextOf(parent: Span | string): { traceId: string; spanId: string } | undefined {
  return typeof parent === "string" ? parseTraceparent(parent) : parent;
}

function linkOf(target: Span | string): SpanEnd["links"] {
  const context = contextOf(target);
  return context ? [{ trace_id: context.traceId, span_id: context.spanId }] : [];
}

function defined(attributes: AttributeInput = {}): Attributes {
  const kept: Attributes = {};
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}

/** Random, and never all zero: that is "no id" in W3C trace context. */
function newId(clock: Clock, bytes: number): string {
  const random = clock.random(bytes);
  const hex = Buffer.from(random.buffer, random.byteOffset, bytes).toString("hex");
  return hex.startsWith("00000000") && /^0+$/.test(hex) ? `${hex.slice(1)}1` : hex;
}

/** Since the epoch. A float of milliseconds since 1970 holds a quarter of a microsecond, so whole and fraction go separately. */
export function nanoseconds(clock: Clock): string {
  const now = clock.now();
  const whole = Math.floor(now);
  const fraction = Math.round((now - whole) * 1e6);
  if (whole <= 0 || fraction === 1e6) return (BigInt(whole) * 1_000_000n + BigInt(fraction)).toString();
  return `${whole}${String(fraction).padStart(6, "0")}`;
}
