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
import { createFold } from "../transcript/fold.ts";
import { defaultPolicy } from "../transcript/shorten.ts";
import { systemPrompt, taskPrompt } from "./brief.ts";
import { type Conversation, logRest } from "./conversation.ts";
import { type Line, openLine } from "./line.ts";
import { noLoopWatch, openLoopWatch } from "./loop-watch.ts";
import { openingOf } from "./opening.ts";
import { openRecipeView } from "./recipe-view.ts";
import { type TurnEnd, takeTurn } from "./turn.ts";

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
    model: await openModel(order.agent.model, { view, model: order.model, recording: order.recording }),
    endpoint: order.model?.endpoint,
    ...frontOf(order),
    toolContext: {
      scope: order.scope,
      files,
      asking: connection.line,
      tracer: connection.tracer,
      objectFormat: object_format,
      isCaseInsensitive,
    },
    unlogged,
    news: [],
    turns: 0,
    maxTurns: order.max_turns,
    usage: noUsage,
    scale: 1,
    fruitless: 0,
  };
}

type Front = Pick<Conversation, "spec" | "isScript" | "system" | "tools" | "hasBrief" | "opening" | "fold" | "loops">;

/** All that stands still while a run goes on. A recipe reads none of it, and nobody has to know what it was told. */
function frontOf(order: RunOrder): Front {
  const spec = order.agent.model;
  const isRecipe = spec.provider === "recipe";
  const [system, prompt, brief] = [systemPrompt(order), taskPrompt(order), order.brief];
  const tools = [...toolSchemas(order.scope.tools), ...(order.tools ?? [])];
  return {
    spec,
    isScript: isRecipe || spec.provider === "scripted",
    system,
    tools,
    hasBrief: brief.trim() !== "",
    opening: isRecipe ? undefined : openingOf({ system, tools, brief, prompt }),
    fold: createFold({ brief, prompt }, defaultPolicy),
    loops: isRecipe ? noLoopWatch : openLoopWatch(),
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
