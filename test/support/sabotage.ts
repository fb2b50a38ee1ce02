import { setTimeout as wait } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { threadId } from "node:worker_threads";
import { runAgent } from "../../src/agent/run-agent.ts";
import { runOrder } from "../../src/protocol/thread.ts";

/**
 * A thread entry for tests: a run whose prompt says so brings its thread down after it has taken its place in it.
 * All others run as they always do, after a moment in which a neighbour may fall.
 */
export default async function work({ order, port }: { order: unknown; port: MessagePort }) {
  const { prompt } = runOrder.parse(order);
  if (prompt === "die: exit") {
    port.postMessage({ kind: "started", thread_id: threadId });
    await wait(300);
    process.exit(3);
  }
  if (prompt === "die: memory") {
    port.postMessage({ kind: "started", thread_id: threadId });
    await wait(300);
    const hoard: unknown[] = [];
    for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
  }
  if (prompt === "die: loop") {
    port.postMessage({ kind: "started", thread_id: threadId });
    await wait(300);
    for (;;);
  }
  // With its first answer in the log, each time that it hears of it.
  if (prompt.startsWith("die: answered")) {
    let heard = 0;
    port.on("message", ({ kind }: { kind: string }) => {
      if (kind === "acknowledged" && ++heard === 2) process.exit(3);
    });
    return runAgent(order, port, threadId);
  }
  // In the middle of its first call.
  if (prompt === "die: asking") {
    port.on("message", ({ kind }: { kind: string }) => {
      if (kind === "acknowledged") setTimeout(() => process.exit(3), 100);
    });
  }
  if (prompt === "wait for cancel") {
    port.postMessage({ kind: "started", thread_id: threadId });
  } else await wait(600);
  return runAgent(order, port, threadId);
}
