import type { MessagePort } from "node:worker_threads";
import { openFiles } from "../files/files.ts";
import { openModel } from "../model/open-model.ts";
import { modelName } from "../protocol/agent.ts";
import type { Submission } from "../protocol/claim.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { type Message, noUsage, type Usage } from "../protocol/message.ts";
import type { RunOrder, RunReport } from "../protocol/thread.ts";
import { agentSpan } from "../telemetry/semconv.ts";
import { createTracer } from "../telemetry/tracer.ts";
import { toolSchemas } from "../tools/catalog.ts";
import { scopedReader } from "../tools/scoped-reader.ts";
import { systemPrompt, taskPrompt } from "./brief.ts";
import { type Line, openLine } from "./line.ts";
import { type Conversation, takeTurn } from "./turn.ts";

/**
 * The agent loop. A turn makes two appends: [results of the last tools + intent of the model call], then
 * [the model's answer + intents of its tools]; nothing with an effect happens before its acknowledgement.
 * Never throws: what goes wrong is in the report.
 */
export async function runAgent(order: RunOrder, port: MessagePort, threadId: number): Promise<RunReport> {
  const line = openLine(port, threadId);
  const tracer = createTracer((message) => line.span(message), { now: Date.now, random: randomBytes });
  const span = tracer.start(agentSpan(order.agent.name), {
    parent: order.traceparent,
    attributes: spanAttributes(order, threadId),
  });
  try {
    const talk = await openConversation(order, line, { tracer, span });
    const report = await converse(talk, order.max_turns);
    span.end(report.state === "succeeded" ? {} : { status: "error", message: report.failure?.message ?? report.state });
    return report;
  } finally {
    span.end({ status: "error", message: "the run ended abnormally" });
    line.close();
  }
}
