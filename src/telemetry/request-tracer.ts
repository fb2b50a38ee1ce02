import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  createContextKey,
  type Span as OtelSpan,
  propagation,
  type SpanOptions,
  type TextMapGetter,
  type Tracer,
} from "@opentelemetry/api";
import type { Clock } from "../protocol/ids.ts";
import type { Attributes, SpanEnd, SpanMessage } from "../protocol/span.ts";
import { createTracer } from "./thread-tracer.ts";
import { parseTraceparent } from "./traceparent.ts";

/**
 * Our spans for instrumentation of others that speaks the OpenTelemetry API: the server's requests. It is no SDK: what
 * such a span may say is its name, plain attributes and its status.
 */
export interface RequestTracer {
  tracer: Tracer;
  /** The ids of the span that is open here; undefined outside of one. */
  current(): { trace_id: string; span_id: string } | undefined;
}

/** `onSpan` gets each span when it ends. A caller's `traceparent` is its parent. */
export function createRequestTracer(onSpan: (span: SpanEnd) => void, clock: Clock): RequestTracer {
  propagation.setGlobalPropagator(propagator);
  const here = new AsyncLocalStorage<OtelSpan>();
  const startSpan: Tracer["startSpan"] = (name, options = {}, context) =>
    start(name, { options, context, onSpan, clock });
  const startActiveSpan = (name: string, ...rest: unknown[]): unknown => {
    const run = rest.at(-1) as (span: OtelSpan) => unknown;
    const [options, context] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const span = startSpan(name, options, context);
    return here.run(span, () => run(span));
  };
  return {
    tracer: { startSpan, startActiveSpan: startActiveSpan as Tracer["startActiveSpan"] },
    current() {
      const context = here.getStore()?.spanContext();
      return context && { trace_id: context.traceId, span_id: context.spanId };
    },
  };
}

interface Start {
  options: SpanOptions;
  context: Context | undefined;
  onSpan: (span: SpanEnd) => void;
  clock: Clock;
}

function start(firstName: string, { options, context, onSpan, clock }: Start): OtelSpan {
  let name = firstName;
  let status: Pick<SpanEnd, "status" | "status_message"> = { status: "unset" };
  const attributes: Attributes = {};
  const finish = (message: SpanMessage) => {
    if (message.at === "end") onSpan({ ...message.span, ...status, name, attributes });
  };
  const traceparent = context?.getValue(callersTrace);
  const inner = createTracer(finish, clock).startRoot(name, {
    kind: "server",
    traceparent: typeof traceparent === "string" ? traceparent : undefined,
  });
  const span: OtelSpan = {
    spanContext: () => ({ traceId: inner.traceId, spanId: inner.spanId, traceFlags: 1 }),
    setAttribute(key, value) {
      const kept = plain(key, value);
      if (kept !== undefined) attributes[key] = kept;
      return span;
    },
    setAttributes(more) {
      for (const [key, value] of Object.entries(more)) span.setAttribute(key, value as string);
      return span;
    },
    addEvent: () => span,
    addLink: () => span,
    addLinks: () => span,
    setStatus({ code, message }) {
      status = { status: code === 2 ? "error" : "ok", ...(message === undefined ? {} : { status_message: message }) };
      return span;
    },
    updateName(better) {
      name = better;
      return span;
    },
    end: () => inner.end(),
    isRecording: () => true,
    recordException() {},
  };
  return span.setAttributes(options.attributes ?? {});
}

/** Of an address only its path: what is asked may be nobody else's business. */
function plain(key: string, value: unknown): Attributes[string] | undefined {
  if (key === "url.full" && typeof value === "string") return value.split(/[?#]/, 1)[0];
  return ["string", "number", "boolean"].includes(typeof value) ? (value as string | number | boolean) : undefined;
}

const callersTrace = createContextKey("traceparent");

/** Only reads; what this server asks of others carries no trace. */
const propagator = {
  inject() {},
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = getter.get(carrier, "traceparent");
    return typeof header === "string" && parseTraceparent(header) ? context.setValue(callersTrace, header) : context;
  },
  fields: () => ["traceparent"],
};
