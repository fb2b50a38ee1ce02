import type { MessagePort } from "node:worker_threads";
import { behindBundle, type OpenBundle, openBundle } from "../files/bundle.ts";
import { openFiles } from "../files/files.ts";
import { openModel } from "../model/open-model.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { toFailure } from "../protocol/failure.ts";
import { noUsage } from "../protocol/message.ts";
import { type RunOrder, type RunReport, runOrder } from "../protocol/thread.ts";
import { agentSpan, attribute, operation } from "../telemetry/semconv.ts";
import { createTracer, type Span, type Tracer } from "../telemetry/thread-tracer.ts";
import { type Conversation, logRest } from "./conversation.ts";
import { type Line, openLine } from "./line.ts";
import { openConversation } from "./open-conversation.ts";
import { openRecipeView } from "./recipe-view.ts";
import { threadClock } from "./thread-clock.ts";
import { type TurnEnd, takeTurn } from "./turn.ts";

/** The agent loop: turns until the work is submitted, the model has no more to ask, or something ends it. Never throws. */
export async function runAgent(raw: unknown, port: MessagePort, threadId: number): Promise<RunReport> {
  const line = openLine(port, threadId);
  try {
    const order = runOrder.parse(raw);
    const tracer = createTracer((message) => line.span(message), threadClock);
    const attributes = spanAttributes(order, threadId);
    const span = tracer.start(agentSpan(order.agent.name), { parent: order.traceparent, attributes });
    const report = await converse(order, { line, tracer, span });
    span.end(report.state === "succeeded" ? {} : { status: "error", message: report.failure?.message ?? report.state });
    return { ...report, traceparent: span.traceparent };
  } catch (thrown) {
    return { state: "failed", failure: toFailure(thrown), turns: 0, usage: noUsage };
  } finally {
    line.close();
  }
}

interface Connection {
  line: Line;
  tracer: Tracer;
  span: Span;
}

async function converse(order: RunOrder, connection: Connection): Promise<RunReport> {
  const { bundle: bundled } = order.workspace;
  using bundle = bundled ? openBundle(bundled) : undefined;
  const talk = await openAgent(order, connection, bundle);
  let end: TurnEnd = { kind: "continue" };
  while (end.kind === "continue" && talk.turns < order.max_turns) end = await takeTurn(talk);
  const report = reportOf(talk, end);
  if (!connection.line.signal.aborted) await logRest(talk);
  return report;
}

async function openAgent(
  order: RunOrder,
  connection: Connection,
  bundle: OpenBundle | undefined,
): Promise<Conversation> {
  const { root, scratch, is_case_insensitive: isCaseInsensitive } = order.workspace;
  const base = bundle ? behindBundle(bundle, connection.line) : connection.line;
  const files = openFiles({ root, scratch, base, isCaseInsensitive });
  const unlogged: ThreadFact[] = [];
  const view = openRecipeView(order, { files, bundle, unlogged, alive: () => connection.line.alive() });
  const { model: means, recording } = order;
  const model = await openModel(order.agent.model, { view, model: means, recording });
  return openConversation(order, { ...connection, files, model, unlogged });
}

function reportOf({ turns, usage, submission }: Conversation, end: TurnEnd): RunReport {
  const said = { turns, usage, ...(submission ? { submission } : {}) };
  switch (end.kind) {
    case "done":
      return { state: "succeeded", ...said };
    case "ended":
      return { state: end.isStopped ? "cancelled" : "failed", failure: end.failure, ...said };
    case "continue": {
      const message = `it took all of its ${turns} turns without an end`;
      const remedy = "raise limits.turns, or make the task smaller; what it had changed is kept";
      return { state: "failed", failure: { code: "turns", message, remedy }, ...said };
    }
  }
}

function spanAttributes(order: RunOrder, threadId: number) {
  return {
    [attribute.operation]: operation.agent,
    [attribute.agentName]: order.agent.name,
    [attribute.conversationId]: order.run_id,
    [attribute.taskId]: order.task_id,
    [attribute.threadId]: threadId,
  };
}
