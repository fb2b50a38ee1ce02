import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { scene } from "./fakes.ts";

const spans = 500;

async function recordUntilDeath(death: "terminate" | "exit" | "throw" | "memory") {
  const { hub, memory, tracer } = scene();
  const root = tracer.startRoot("invoke_workflow job");
  const run = { jobId: "job-1", runId: "run-1", traceId: root.traceId, parentSpanId: root.spanId };
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL("fixtures/recording-worker.ts", import.meta.url), {
    workerData: { port: port2, traceparent: root.traceparent, spans, death },
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: 24 },
    stderr: true,
  });
  worker.on("error", () => {});
  const closed = once(port1, "close");
  port1.on("message", (message) => {
    if (message !== "ready") hub.acceptFromThread(message, run);
    else if (death === "terminate") void worker.terminate();
  });
  await closed;
  hub.closeOrphans("run-1", `its thread died (${death})`);
  root.end();
  hub.closeOrphans("job-1", "the job ended");
  await hub.close();
  return { hub, rows: [...memory.rows.values()], root };
}

test.each(["terminate", "exit", "throw", "memory"] as const)(
  "a thread that dies by %s loses no ended span, and its open ones are closed as errors",
  async (death) => {
    const { hub, rows, root } = await recordUntilDeath(death);
    const ended = rows.filter((row) => row.name === "execute_tool read");
    expect(new Set(ended.map((row) => row.attributes.index)).size).toBe(spans);
    expect(ended.every((row) => row.status === "ok" && row.run_id === "run-1")).toBe(true);
    const orphans = rows.filter((row) => row.attributes["sheaf.orphan"] === true);
    expect(orphans.map((row) => row.name).sort()).toEqual(["execute_tool edit", "invoke_agent fixture"]);
    expect(orphans.every((row) => row.status === "error" && row.dur_ns !== null)).toBe(true);
    expect(orphans[0]?.status_message).toContain(death);
    expect(rows.every((row) => row.dur_ns !== null && row.trace_id === root.traceId)).toBe(true);
    expect(hub.counts).toMatchObject({ ended: spans + 3, orphans: 2 });
  },
);
