import type { HrTime, SpanContext } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SpanEnd } from "../protocol/span.ts";

/** One of our finished spans as the OpenTelemetry exporters read it. */
export function readableSpan(span: SpanEnd, origin: { resource: Resource; version: string }): ReadableSpan {
  const context = contextOf(span.trace_id, span.span_id);
  const parent = span.parent_span_id;
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: contextOf(span.trace_id, parent) }),
    startTime: hrTime(BigInt(span.start_ns)),
    endTime: hrTime(BigInt(span.end_ns)),
    duration: hrTime(BigInt(span.end_ns) - BigInt(span.start_ns)),
    status: {
      code: statuses[span.status],
      ...(span.status_message === undefined ? {} : { message: span.status_message }),
    },
    attributes: span.attributes,
    events: span.events.map((event) => ({
      name: event.name,
      time: hrTime(BigInt(event.at_ns)),
      attributes: event.attributes,
      droppedAttributesCount: 0,
    })),
    links: span.links.map((link) => ({ context: contextOf(link.trace_id, link.span_id) })),
    ended: true,
    resource: origin.resource,
    instrumentationScope: { name: "sheaf", version: origin.version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** The numbers of the API's SpanKind and SpanStatusCode, so that no package is loaded for two enums. */
const kinds = { internal: 0, server: 1, client: 2 } as const;
const statuses = { unset: 0, ok: 1, error: 2 } as const;

function contextOf(traceId: string, spanId: string): SpanContext {
  return { traceId, spanId, traceFlags: 1 };
}

function hrTime(ns: bigint): HrTime {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}
