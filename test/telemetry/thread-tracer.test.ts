import { expect, test } from "vitest";
import { createTracer } from "../../src/telemetry/thread-tracer.ts";
import { clock, recordingTracer } from "./fakes.ts";

test("a root without a caller begins a trace, and with one continues it", () => {
  const { tracer, messages } = recordingTracer();
  const fresh = tracer.startRoot("a");
  const continued = tracer.startRoot("b", { traceparent: fresh.traceparent });
  tracer.startRoot("c", { traceparent: "garbage" });
  const [first, second, third] = messages.map((message) => message.span);
  expect(first?.parent_span_id).toBeUndefined();
  expect(second).toMatchObject({ trace_id: fresh.traceId, parent_span_id: fresh.spanId });
  expect(continued.traceId).toBe(fresh.traceId);
  expect(third?.parent_span_id).toBeUndefined();
  expect(third?.trace_id).not.toBe(fresh.traceId);
});

test("a child hangs from a span and from its traceparent alike", () => {
  const { tracer, messages } = recordingTracer();
  const root = tracer.startRoot("root");
  tracer.start("by span", { parent: root });
  tracer.start("by text", { parent: root.traceparent });
  for (const message of messages.slice(1)) {
    expect(message.span).toMatchObject({ trace_id: root.traceId, parent_span_id: root.spanId });
  }
});

test("a parent that is no traceparent is a fault, for a span must not be lost from its tree", () => {
  const { tracer } = recordingTracer();
  expect(() => tracer.start("lost", { parent: "nowhere" })).toThrow(/parent is not a traceparent/);
});

test("ending twice counts once, and nothing changes a span after its end", () => {
  const { tracer, ends } = recordingTracer();
  const span = tracer.startRoot("a", { attributes: { one: 1, none: undefined } });
  span.set({ two: "2", none: undefined });
  span.event("seen", { at: "here" });
  span.end({ status: "ok" });
  span.set({ three: true });
  span.event("late");
  span.end({ status: "error", message: "late" });
  expect(ends()).toHaveLength(1);
  expect(ends()[0]).toMatchObject({ status: "ok", attributes: { one: 1, two: "2" } });
  expect(ends()[0]?.attributes).not.toHaveProperty("none");
  expect(ends()[0]?.events.map((event) => event.name)).toEqual(["seen"]);
});

test("links name other spans, and what is no span is left out", () => {
  const { tracer, ends } = recordingTracer();
  const one = tracer.startRoot("one");
  tracer.startRoot("two", { links: [one, one.traceparent, "garbage"] }).end();
  const link = { trace_id: one.traceId, span_id: one.spanId };
  expect(ends()[0]?.links).toEqual([link, link]);
});

test("times keep the fractions of a millisecond and ids are never zero", () => {
  const times = [1_800_000_000_000.25, 1_800_000_000_001.5];
  const starts: string[] = [];
  const still = { now: () => times.shift() ?? 0, random: (count: number) => new Uint8Array(count) };
  const tracer = createTracer((message) => starts.push(message.span.start_ns), still);
  const first = tracer.startRoot("a");
  expect(starts[0]).toBe("1800000000000250000");
  expect(first.traceId).toMatch(/^0{31}1$/);
  expect(first.spanId).toMatch(/^0{15}1$/);
  expect(clock.now()).toBeGreaterThan(0);
});
