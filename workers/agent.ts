import { type MessagePort, threadId } from "node:worker_threads";
import { runAgent } from "../src/agent/run-agent.ts";

/** Thread entry: one call is one run; Piscina calls it many times at once in the same thread. */
export default function work({ order, port }: { order: unknown; port: MessagePort }) {
  return runAgent(order, port, threadId);
}
