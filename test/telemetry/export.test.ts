import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SpanEnd, StoredSpan } from "../../src/protocol/span.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";
import { createRequestTracer } from "../../src/telemetry/request-tracer.ts";
import { clock, recordingTracer, scene } from "./fakes.ts";
import { exportTo, type ReceivedSpan, type Receiver, startCollector, startReceiver } from "./receiver.ts";

const kinds = { internal: "SPAN_KIND_INTERNAL", client: "SPAN_KIND_CLIENT", server: "SPAN_KIND_SERVER" };
const codes = { unset: "STATUS_CODE_UNSET", ok: "STATUS_CODE_OK", error: "STATUS_CODE_ERROR" };

/** A stored span in the words of the receiver. */
function inOtlp(row: StoredSpan) {
  return {
    traceId: row.trace_id,
    spanId: row.span_id,
    parentSpanId: row.parent_span_id ?? "",
    name: row.name,
    kind: kinds[row.kind],
    startTimeUnixNano: row.start_ns,
    endTimeUnixNano: (BigInt(row.start_ns) + BigInt(row.dur_ns ?? "-1")).toString(),
    attributes: row.attributes,
    events: row.events.map(({ name, at_ns, attributes }) => ({ name, timeUnixNano: at_ns, attributes })),
    links: row.links.map((link) => ({ traceId: link.trace_id, spanId: link.span_id })),
    status: codes[row.status] + (row.status_message ?? ""),
  };
}

function received(span: ReceivedSpan) {
  const status = (span.status?.code ?? codes.unset) + (span.status?.message ?? "");
  return { ...span, parentSpanId: span.parentSpanId ?? "", status };
}

const byId = (one: { spanId: string }, other: { spanId: string }) => (one.spanId < other.spanId ? -1 : 1);

describe("a receiver we did not write", () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  beforeEach(() => {
    receiver.spans.length = 0;
    receiver.resources.length = 0;
  });
  afterAll(() => receiver.close());

  test("gets each stored span once, with its parent, links, attributes, events and status", async () => {
    const stage = scene({ openFeed: await exportTo(receiver.url), redact: createRedactor(["hunter2hunter2"]) });
    const caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const root = stage.tracer.startRoot("invoke_workflow job", { traceparent: caller });
    const run = { jobId: "job-1", runId: "run-1", traceId: root.traceId, parentSpanId: root.spanId };
    const thread = recordingTracer();
    const agent = thread.tracer.start("invoke_agent a", { parent: root.traceparent });
    const chat = thread.tracer.start("chat m", {
      parent: agent,
      kind: "client",
      attributes: { n: 1, x: 0.5, b: true },
    });
    chat.event("retry", { why: "hunter2hunter2 expired" });
    chat.end({ status: "error", message: "gave up on hunter2hunter2" });
    for (const message of thread.messages) stage.hub.acceptFromThread(message, run);
    stage.hub.closeOrphans("run-1", "its thread died");
    stage.tracer.start("sheaf.merge all", { parent: root, links: [agent], attributes: { list: ["a", "b"] } }).end();
    root.end({ status: "ok" });
    await stage.hub.close();
    await receiver.arrived(4);
    expect(receiver.spans.map(received).sort(byId)).toEqual([...stage.memory.rows.values()].map(inOtlp).sort(byId));
    expect(JSON.stringify(receiver.spans)).not.toContain("hunter2");
    expect(receiver.spans.find((span) => span.name === "invoke_workflow job")?.parentSpanId).toBe("b7ad6b7169203331");
    expect(receiver.resources[0]).toMatchObject({
      "service.name": "sheaf",
      "service.version": "1.2.3",
      "service.instance.id": "node-1",
    });
    expect(stage.warnings).toEqual([]);
  });

  test("gets 20,000 spans that ended at once, each once, as the store does", async () => {
    const stage = scene({ openFeed: await exportTo(receiver.url) });
    const root = stage.tracer.startRoot("invoke_workflow job");
    for (let index = 0; index < 20_000; index++) stage.tracer.start("execute_tool read", { parent: root }).end();
    root.end();
    await stage.hub.close();
    await receiver.arrived(20_001);
    expect(receiver.spans).toHaveLength(20_001);
    expect(new Set(receiver.spans.map((span) => span.spanId))).toEqual(new Set(stage.memory.rows.keys()));
    expect(stage.hub.counts).toMatchObject({ ended: 20_001, exported: 20_001, exportFailed: 0 });
  });

  test("gets the span of a request of the server's, redacted, which no job stores", async () => {
    const stage = scene({ openFeed: await exportTo(receiver.url), redact: createRedactor(["hunter2hunter2"]) });
    const made: SpanEnd[] = [];
    const { tracer } = createRequestTracer((span) => made.push(span), clock);
    const span = tracer.startSpan("GET *", { attributes: { "url.full": "http://localhost/v1/jobs?cursor=x" } });
    span.updateName("GET /v1/jobs").setAttribute("http.route", "hunter2hunter2").setStatus({ code: 2 }).end();
    for (const each of made) stage.hub.exportSpan?.(each);
    await stage.hub.close();
    await receiver.arrived(1);
    expect(receiver.spans.map(received)).toMatchObject([
      {
        name: "GET /v1/jobs",
        kind: "SPAN_KIND_SERVER",
        parentSpanId: "",
        status: "STATUS_CODE_ERROR",
        attributes: { "url.full": "http://localhost/v1/jobs" },
      },
    ]);
    expect(JSON.stringify(receiver.spans)).not.toContain("hunter2");
    expect(stage.memory.rows.size).toBe(0);
    expect(scene().hub.exportSpan).toBeUndefined();
  });

  test("gets them in many small flushes too", async () => {
    const stage = scene({ openFeed: await exportTo(receiver.url) });
    const root = stage.tracer.startRoot("invoke_workflow job");
    const flushes = Array.from({ length: 100 }, () => {
      stage.tracer.start("execute_tool read", { parent: root }).end();
      return stage.hub.flush();
    });
    root.end();
    await Promise.all(flushes);
    await stage.hub.close();
    await receiver.arrived(101);
    expect(new Set(receiver.spans.map((span) => span.spanId)).size).toBe(101);
    expect(receiver.spans).toHaveLength(101);
  });
});

describe("a collector in trouble", () => {
  async function jobAgainst(url: string, more: Record<string, string> = {}) {
    const stage = scene({ openFeed: await exportTo(url, more) });
    for (let job = 0; job < 3; job++) {
      const root = stage.tracer.startRoot("invoke_workflow job");
      for (let index = 0; index < 50; index++) stage.tracer.start("execute_tool read", { parent: root }).end();
      root.end();
      await stage.hub.flush();
    }
    await stage.hub.close();
    expect([...stage.memory.rows.values()].filter((row) => row.dur_ns !== null)).toHaveLength(153);
    return stage;
  }

  test("that is not there costs a warning, and no span of the store", async () => {
    const gone = await startCollector((response) => response.end());
    await new Promise((resolve) => gone.close(resolve));
    const stage = await jobAgainst(gone.url, { OTEL_EXPORTER_OTLP_TIMEOUT: "200" });
    expect(stage.warnings).toEqual([expect.stringMatching(/^spans could not be exported: .*they are stored/)]);
    expect(stage.hub.counts).toMatchObject({ exported: 0, exportFailed: 153 });
  });

  test.each([400, 404, 500])("that answers %i costs a warning, and no span of the store", async (code) => {
    const broken = await startCollector((response) => response.writeHead(code).end());
    const stage = await jobAgainst(broken.url);
    broken.close();
    expect(stage.warnings).toHaveLength(1);
    expect(stage.hub.counts).toMatchObject({ exported: 0, exportFailed: 153 });
  });

  test("that is busy for a moment is tried again", async () => {
    let refusals = 1;
    const busy = await startCollector((response) => {
      const code = refusals-- > 0 ? 503 : 200;
      response.writeHead(code).end();
    });
    const stage = await jobAgainst(busy.url);
    busy.close();
    expect(stage.warnings).toEqual([]);
    expect(stage.hub.counts).toMatchObject({ exported: 153, exportFailed: 0 });
  });

  test("that never answers is not waited for beyond the timeout", async () => {
    const hung = await startCollector(() => {});
    const stage = await jobAgainst(hung.url, { OTEL_EXPORTER_OTLP_TIMEOUT: "100" });
    hung.closeAllConnections();
    hung.close();
    expect(stage.warnings).toHaveLength(1);
    expect(stage.hub.counts.exported).toBe(0);
    expect(stage.hub.counts.exportFailed).toBe(153);
  });
});
