import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SpanMessage } from "../../src/protocol/span.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";
import { memoryStore, recordingTracer, type Scene, scene } from "./fakes.ts";

/** A job with its root span open, and the recorded messages of one honest run below it. */
function jobWithRun(stage: Scene) {
  const root = stage.tracer.startRoot("invoke_workflow job");
  const run = { jobId: "job-1", runId: "run-1", traceId: root.traceId, parentSpanId: root.spanId };
  const thread = recordingTracer();
  const agent = thread.tracer.start("invoke_agent a", { parent: root.traceparent });
  thread.tracer.start("execute_tool read", { parent: agent }).end({ status: "ok" });
  return { root, run, agent, thread };
}

describe("a span from start to end", () => {
  test("is stored while it is open, and again when it ends", async () => {
    const stage = scene();
    const root = stage.tracer.startRoot("invoke_workflow job", { attributes: { "sheaf.job.id": "job-1" } });
    await stage.hub.flush();
    expect([...stage.memory.rows.values()]).toMatchObject([{ dur_ns: null, status: "unset", job_id: "job-1" }]);
    root.end({ status: "ok" });
    await stage.hub.flush();
    expect([...stage.memory.rows.values()]).toMatchObject([{ status: "ok", attributes: { "sheaf.job.id": "job-1" } }]);
    expect(stage.memory.rows.get(root.spanId)?.dur_ns).toMatch(/^\d+$/);
  });

  test("costs one row when it ended before anything was written", async () => {
    const stage = scene();
    stage.tracer.startRoot("invoke_workflow job").end();
    await stage.hub.flush();
    expect(stage.memory.calls.flat()).toHaveLength(1);
  });

  test("is stored when it ends, together with the open ones above it", () => {
    const stage = scene();
    const root = stage.tracer.startRoot("invoke_workflow job");
    const plan = stage.tracer.start("plan", { parent: root });
    for (let index = 0; index < 500; index++) stage.tracer.start("sheaf.queue a", { parent: plan }).end();
    const [first = []] = stage.memory.calls;
    expect(first.slice(0, 2)).toMatchObject([
      { name: "invoke_workflow job", dur_ns: null },
      { name: "plan", dur_ns: null },
    ]);
    expect(first).toHaveLength(500);
  });

  test("never lasts less than nothing, though the clock was set back", async () => {
    const stage = scene();
    const { run, thread, agent } = jobWithRun(stage);
    agent.end();
    for (const message of thread.messages) {
      const span = message.at === "end" ? { ...message.span, end_ns: "5" } : message.span;
      stage.hub.acceptFromThread({ ...message, span }, run);
    }
    await stage.hub.flush();
    expect(stage.memory.rows.get(agent.spanId)?.dur_ns).toBe("0");
  });

  test("is redacted before it is stored", async () => {
    const stage = scene({ redact: createRedactor(["hunter2hunter2"]) });
    stage.tracer
      .startRoot("a hunter2hunter2", { attributes: { a: "hunter2hunter2" } })
      .end({ message: "hunter2hunter2" });
    await stage.hub.flush();
    expect(JSON.stringify(stage.memory.calls)).not.toContain("hunter2");
  });

  test("is redacted when it is stored while it is open, and when it is closed for its owner", async () => {
    const stage = scene({ redact: createRedactor(["hunter2hunter2"]) });
    const attributes = { a: "hunter2hunter2", long: "hunter2hunter2 ".repeat(2_000) };
    stage.tracer.startRoot("a hunter2hunter2", { attributes: { a: "hunter2hunter2" } });
    stage.tracer.startRoot("b hunter2hunter2", { attributes });
    await stage.hub.flush();
    stage.hub.closeOrphans("job-1", "it had hunter2hunter2");
    await stage.hub.flush();
    expect(stage.memory.calls.flat()).toHaveLength(4);
    expect(JSON.stringify(stage.memory.calls)).not.toContain("hunter2");
  });
});

describe("a thread", () => {
  test("has its own spans taken as they are", async () => {
    const stage = scene();
    const { run, agent, thread } = jobWithRun(stage);
    agent.end();
    for (const message of thread.messages) stage.hub.acceptFromThread(structuredClone(message), run);
    await stage.hub.flush();
    expect(stage.hub.counts.refused).toEqual({ shape: 0, trace: 0, ancestry: 0, identity: 0, duplicate: 0, size: 0 });
    const tool = [...stage.memory.rows.values()].find((row) => row.name === "execute_tool read");
    expect(tool).toMatchObject({ parent_span_id: agent.spanId, run_id: "run-1", job_id: "job-1", status: "ok" });
  });

  const lies: [string, string, (message: SpanMessage, known: { rootId: string; siblingId: string }) => unknown][] = [
    ["another trace", "trace", (message) => change(message, { trace_id: "f".repeat(32) })],
    ["no parent", "ancestry", (message) => change(message, { parent_span_id: undefined })],
    ["an unknown parent", "ancestry", (message) => change(message, { parent_span_id: "e".repeat(16) })],
    ["itself as its parent", "ancestry", (message) => change(message, { parent_span_id: message.span.span_id })],
    ["a sibling run's span as its parent", "ancestry", (m, known) => change(m, { parent_span_id: known.siblingId })],
    ["the root's id as its own", "identity", (message, known) => change(message, { span_id: known.rootId })],
    ["a sibling run's id as its own", "identity", (message, known) => change(message, { span_id: known.siblingId })],
    ["an id that is none", "shape", (message) => change(message, { span_id: "../../etc" })],
    ["a time beyond 64 bits", "shape", (message) => change(message, { start_ns: "9".repeat(30) })],
    ["a status of its own", "shape", (message) => change(message, { status: "splendid", start_ns: "x" })],
    ["no message at all", "shape", () => null],
    ["another kind of message", "shape", () => ({ at: "middle" })],
  ];

  test.each(lies)("that claims %s is not believed", async (_, reason, lie) => {
    const stage = scene();
    const { root, run } = jobWithRun(stage);
    const sibling = recordingTracer();
    const siblingSpan = sibling.tracer.start("invoke_agent b", { parent: root.traceparent });
    for (const message of sibling.messages) stage.hub.acceptFromThread(message, { ...run, runId: "run-2" });
    await stage.hub.flush();
    const before = structuredClone(stage.memory.rows);
    const liar = recordingTracer();
    liar.tracer.start("execute_tool lie", { parent: root.traceparent }).end();
    for (const message of liar.messages) {
      stage.hub.acceptFromThread(lie(message, { rootId: root.spanId, siblingId: siblingSpan.spanId }), run);
    }
    await stage.hub.flush();
    expect(stage.memory.rows).toEqual(before);
    expect(stage.hub.counts.refused).toMatchObject({ [reason]: 2 });
  });

  test("cannot move a span elsewhere by its end, nor end it twice", async () => {
    const stage = scene();
    const { root, run, agent, thread } = jobWithRun(stage);
    agent.end({ status: "error" });
    const [start, ...rest] = thread.messages;
    const end = rest.at(-1);
    if (!start || !end) throw new Error("the fixture recorded nothing");
    stage.hub.acceptFromThread(start, run);
    for (const message of rest.slice(0, 1)) stage.hub.acceptFromThread(message, run);
    const child = rest[0]?.span.span_id;
    stage.hub.acceptFromThread(change(end, { parent_span_id: child, start_ns: "1" }), run);
    stage.hub.acceptFromThread(change(end, { status: "ok" }), run);
    await stage.hub.flush();
    expect(stage.memory.rows.get(agent.spanId)).toMatchObject({
      parent_span_id: root.spanId,
      start_ns: start.span.start_ns,
      status: "error",
    });
    expect(stage.hub.counts.refused.duplicate).toBe(1);
  });

  test("cannot tie another trace to its own", async () => {
    const stage = scene();
    const { run, agent, thread } = jobWithRun(stage);
    agent.end();
    const links = [
      { trace_id: agent.traceId, span_id: "1".repeat(16) },
      { trace_id: "f".repeat(32), span_id: "2".repeat(16) },
    ];
    for (const message of thread.messages) stage.hub.acceptFromThread(change(message, { links }), run);
    await stage.hub.flush();
    expect(stage.memory.rows.get(agent.spanId)?.links).toEqual(links.slice(0, 1));
  });

  test("that floods is cut off by size, and its ended spans are still taken", async () => {
    const stage = scene();
    const { run, root } = jobWithRun(stage);
    const flood = recordingTracer();
    const attributes = Object.fromEntries(Array.from({ length: 15 }, (_, key) => [`k${key}`, "x".repeat(16_000)]));
    const opened = Array.from({ length: 100 }, () =>
      flood.tracer.start("flood", { parent: root.traceparent, attributes }),
    );
    for (const message of flood.messages) stage.hub.acceptFromThread(message, run);
    const refused = stage.hub.counts.refused.size;
    expect(refused).toBeGreaterThan(50);
    const sent = flood.messages.length;
    for (const span of opened) span.end();
    for (const message of flood.messages.slice(sent)) stage.hub.acceptFromThread(message, run);
    await stage.hub.flush();
    expect(stage.hub.counts).toMatchObject({ ended: 100 });
    expect(stage.hub.counts.refused.size).toBe(refused);
  });

  test("never makes the hub throw, whatever it posts", () => {
    const stage = scene();
    const { run } = jobWithRun(stage);
    fc.assert(fc.property(fc.anything(), (junk) => stage.hub.acceptFromThread(junk, run)));
  });
});

describe("an owner that is gone", () => {
  test("leaves no span open: the run's first, the job's with the job", async () => {
    const stage = scene();
    const { root, run, agent, thread } = jobWithRun(stage);
    for (const message of thread.messages) stage.hub.acceptFromThread(message, run);
    stage.hub.closeOrphans("run-1", "its thread died");
    await stage.hub.flush();
    expect(stage.memory.rows.get(agent.spanId)).toMatchObject({ status: "error", status_message: "its thread died" });
    expect(stage.memory.rows.get(root.spanId)).toMatchObject({ dur_ns: null });
    stage.hub.closeOrphans("job-1", "the job ended");
    await stage.hub.flush();
    expect([...stage.memory.rows.values()].filter((row) => row.dur_ns === null)).toEqual([]);
  });

  test("is not heard again about a span that was closed for it", async () => {
    const stage = scene();
    const { run, agent, thread } = jobWithRun(stage);
    for (const message of thread.messages) stage.hub.acceptFromThread(message, run);
    stage.hub.closeOrphans("run-1", "its thread died");
    agent.end({ status: "ok" });
    const late = thread.messages.at(-1);
    stage.hub.acceptFromThread(late, run);
    await stage.hub.flush();
    expect(stage.memory.rows.get(agent.spanId)?.status).toBe("error");
    expect(stage.hub.counts.refused.duplicate).toBe(1);
  });

  test("may go on under the same id, below the same parent", async () => {
    const stage = scene();
    const { run, thread, root } = jobWithRun(stage);
    for (const message of thread.messages) stage.hub.acceptFromThread(message, run);
    stage.hub.closeOrphans("run-1", "its thread died");
    const again = recordingTracer();
    again.tracer.start("invoke_agent a", { parent: root.traceparent }).end({ status: "ok" });
    for (const message of again.messages) stage.hub.acceptFromThread(message, run);
    await stage.hub.flush();
    const agents = [...stage.memory.rows.values()].filter((row) => row.name === "invoke_agent a");
    expect(agents.map((row) => row.status).sort()).toEqual(["error", "ok"]);
  });
});

describe("a store that fails", () => {
  test("is tried again until it has every span, with the last state of each", async () => {
    const memory = memoryStore();
    let failures = 4;
    const stage = scene({
      store: (rows) => (failures-- > 0 ? Promise.reject(new Error("connection lost")) : memory.store(rows)),
    });
    const root = stage.tracer.startRoot("invoke_workflow job");
    for (let index = 0; index < 1_200; index++) stage.tracer.start("plan", { parent: root }).end();
    await stage.hub.flush();
    root.end({ status: "ok" });
    await stage.hub.flush();
    await stage.hub.flush();
    expect(memory.rows.size).toBe(1_201);
    expect(memory.rows.get(root.spanId)?.status).toBe("ok");
    expect(stage.warnings).toEqual([expect.stringContaining("connection lost")]);
    expect(stage.hub.counts.rowsLost).toBe(0);
  });

  test("for good holds nobody up, and what was lost is said", async () => {
    const stage = scene({ store: () => Promise.reject(new Error("no space left")) });
    stage.tracer.startRoot("invoke_workflow job").end();
    await stage.hub.close();
    expect(stage.warnings).toEqual([expect.stringContaining("no space left"), "1 spans could not be stored"]);
  });
});

test("any order of starts, ends and deaths stores each span once, ended, below its job's root", async () => {
  const step = fc.record({ parent: fc.nat(), isEnded: fc.boolean(), isFlushed: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const stage = scene();
      const root = stage.tracer.startRoot("invoke_workflow job");
      const spans = [root];
      for (const { parent, isEnded, isFlushed } of steps) {
        const span = stage.tracer.start("plan", { parent: spans[parent % spans.length] ?? root });
        spans.push(span);
        if (isEnded) span.end();
        if (isFlushed) await stage.hub.flush();
      }
      stage.hub.closeOrphans("job-1", "the job ended");
      await stage.hub.flush();
      const rows = [...stage.memory.rows.values()];
      expect(rows.map((row) => row.span_id).sort()).toEqual(spans.map((span) => span.spanId).sort());
      expect(rows.filter((row) => row.dur_ns === null || row.trace_id !== root.traceId)).toEqual([]);
      expect(rows.filter((row) => row.parent_span_id === undefined)).toHaveLength(1);
    }),
    { numRuns: 40 },
  );
});

/** The message with parts of its span replaced; undefined takes a part away. */
function change(message: SpanMessage, parts: Record<string, unknown>): unknown {
  const span = Object.entries({ ...message.span, ...parts }).filter(([, value]) => value !== undefined);
  return { at: message.at, span: Object.fromEntries(span) };
}
