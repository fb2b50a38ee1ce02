import { type MessagePort, threadId } from "node:worker_threads";
import { runAgent } from "../src/agent/run-agent.ts";

/** Thread entry: one call is one run; Piscina calls it many times at once in the same thread. */
export default function work({ order, port }: { order: unknown; port: MessagePort }) {
  return runAgent(order, port, threadId);
}

/** The other one: looks for text in many files, and holds the thread until it is through. */
export async function scan(order: unknown) {
  const { runScan } = await import("../src/agent/scan.ts");
  return runScan(order);
}

/** The same for what an agent searches. */
export async function search(order: unknown) {
  const { runSearch } = await import("../src/agent/search.ts");
  return runSearch(order);
}
