import { randomBytes } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { threadMessage } from "../../src/protocol/thread.ts";
import { createTracer } from "../../src/telemetry/thread-tracer.ts";

// The same thread with the tracer loaded, and one span recorded and posted.
const sink = new MessageChannel();
const tracer = createTracer((message) => sink.port1.postMessage(message), { now: Date.now, random: randomBytes });
const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
tracer.start("invoke_agent bench", { parent: traceparent, attributes: { "sheaf.run.attempt": 1 } }).end();
const started = threadMessage.parse({ kind: "started", thread_id: 1 });
parentPort?.postMessage(started);
setInterval(() => {}, 60_000);
