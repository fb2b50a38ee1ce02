import { randomBytes } from "node:crypto";
import type { MessagePort } from "node:worker_threads";
import { behindBundle, type OpenBundle, openBundle } from "../files/bundle.ts";
import { openFiles } from "../files/files.ts";
import { openModel } from "../model/open-model.ts";
import { toFailure } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import { noUsage } from "../protocol/message.ts";
import { type RunOrder, type RunReport, runOrder } from "../protocol/thread.ts";
import { agentSpan, attribute, operation } from "../telemetry/semconv.ts";
import { createTracer, type Span, type Tracer } from "../telemetry/thread-tracer.ts";
import { toolSchemas } from "../tools/catalog.ts";
import { systemPrompt, taskPrompt } from "./brief.ts";
import { type Line, openLine } from "./line.ts";
import { openRecipeView } from "./recipe-view.ts";
import { type Conversation, logRest, type TurnEnd, takeTurn } from "./turn.ts";

const threadClock: Clock = { now: () => performance.timeOrigin + performance.now(), random: randomBytes };

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
  const talk = await openConversation(order, connection, bundle);
  let end: TurnEnd = { kind: "continue" };
  while (end.kind === "continue" && talk.turns < order.max_turns) end = await takeTurn(talk);
  const report = reportOf(talk, end);
  if (!connection.line.signal.aborted) await logRest(talk);
  return report;
}

async function openConversation(
  order: RunOrder,
  connection: Connection,
  bundle: OpenBundle | undefined,
): Promise<Conversation> {
  const { root, scratch, object_format, is_case_insensitive: isCaseInsensitive } = order.workspace;
  const base = bundle ? behindBundle(bundle, connection.line) : connection.line;
  const files = openFiles({ root, scratch, base, isCaseInsensitive });
  const unlogged: Conversation["unlogged"] = [];
  const view = openRecipeView(order, { files, bundle, unlogged, alive: () => connection.line.alive() });
  return {
    ...connection,
    model: await openModel(order.agent.model, view),
    system: systemPrompt(order),
    tools: toolSchemas(order.scope.tools),
    toolContext: {
      scope: order.scope,
      files,
      tracer: connection.tracer,
      objectFormat: object_format,
      isCaseInsensitive,
    },
    messages: [{ role: "user", content: [{ type: "text", text: taskPrompt(order) }] }],
    unlogged,
    turns: 0,
    usage: noUsage,
  };
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
      return { state: "failed", failure: { code: "turns", message }, ...said };
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
