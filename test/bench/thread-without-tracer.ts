import { parentPort } from "node:worker_threads";
import { threadMessage } from "../../src/protocol/thread.ts";

// A thread that can speak with its host, as every thread must, and traces nothing.
const started = threadMessage.parse({ kind: "started", thread_id: 1 });
parentPort?.postMessage(started);
setInterval(() => {}, 60_000);
