import type { Model, ModelAnswer, ToolSchema } from "../model/model.ts";
import type { Submission } from "../protocol/claim.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { type Failure, toFailure } from "../protocol/failure.ts";
import { addUsage, type Message, type ToolResult, type ToolUse, type Usage } from "../protocol/message.ts";
import type { Decision } from "../protocol/scope.ts";
import { attribute, chatSpan, operation } from "../telemetry/semconv.ts";
import type { Span, Tracer } from "../telemetry/thread-tracer.ts";
import { execute, type ToolContext } from "../tools/execute.ts";
import { type Line, Stopped } from "./line.ts";

/**
 * One model request and the tool calls it asked for, in two appends: the results of the last tools with the intent
 * of the request, then the answer with the intents of its tools. Nothing with an effect happens in between.
 */
export interface Conversation {
  line: Line;
  model: Model;
  system: string;
  tools: readonly ToolSchema[];
  toolContext: Omit<ToolContext, "decision" | "parent" | "runCommand">;
  tracer: Tracer;
  span: Span;
  messages: Message[];
  /** Facts not yet in the log: results of tools, denials of reads. */
  unlogged: ThreadFact[];
  turns: number;
  usage: Usage;
  submission?: Submission;
}

export type TurnEnd = { kind: "continue" } | { kind: "done" } | { kind: "ended"; failure: Failure; isStopped: boolean };

export async function takeTurn(talk: Conversation): Promise<TurnEnd> {
  try {
    talk.turns += 1;
    const answer = await askModel(talk);
    const results = await runTools(talk, answer);
    if (results.length > 0) talk.messages.push({ role: "user", content: results });
    return { kind: answer.stop === "end_turn" || talk.submission ? "done" : "continue" };
  } catch (thrown) {
    if (thrown instanceof Stopped) return { kind: "ended", failure: thrown.failure, isStopped: true };
    return { kind: "ended", failure: toFailure(thrown), isStopped: false };
  }
}

/** What is not in the log yet goes there; for the end of a run. */
export async function logRest(talk: Conversation): Promise<void> {
  const facts = talk.unlogged.splice(0);
  if (facts.length > 0) await talk.line.append(facts, talk.span.spanId);
}

async function askModel(talk: Conversation): Promise<ModelAnswer> {
  const { line, model, turns: turn, span } = talk;
  await line.append(
    [...talk.unlogged.splice(0), { type: "turn.started", data: { turn, model: model.name } }],
    span.spanId,
  );
  const chat = talk.tracer.start(chatSpan(model.name), {
    parent: span,
    kind: "client",
    attributes: chatAttributes(talk),
  });
  try {
    const { system, messages, tools } = talk;
    const answer = await model.answer({ system, messages, tools, breakpoints: [], maxTokens: 0 }, line);
    chat.set({ [attribute.responseFinishReasons]: [answer.stop], ...usageAttributes(answer.usage) });
    chat.end();
    talk.usage = addUsage(talk.usage, answer.usage);
    talk.messages.push({ role: "assistant", content: answer.content });
    return answer;
  } finally {
    chat.end({ status: "error", message: "no answer" });
  }
}

async function runTools(talk: Conversation, answer: ModelAnswer): Promise<ToolResult[]> {
  const { content, stop, usage } = answer;
  const data = { turn: talk.turns, answer: content, usage, stop };
  const facts: ThreadFact[] = [...talk.unlogged.splice(0), { type: "turn.finished", data }];
  const { decisions } = await talk.line.append(facts, talk.span.spanId);
  const results: ToolResult[] = [];
  for (const block of content)
    if (block.type === "tool_use") results.push(await runTool(talk, block, decisionOn(block.id, decisions)));
  return results;
}

/** A model names its calls as it likes, also by what every object has. */
function decisionOn(id: string, decisions: Readonly<Record<string, Decision>>): Decision | undefined {
  return Object.hasOwn(decisions, id) ? decisions[id] : undefined;
}

async function runTool(talk: Conversation, call: ToolUse, decision: Decision | undefined): Promise<ToolResult> {
  talk.line.signal.throwIfAborted();
  const runCommand = async (callId: string) => {
    // What was done before a command stands in the log before it.
    await logRest(talk);
    return talk.line.command(callId);
  };
  const done = await execute(call, { ...talk.toolContext, runCommand, parent: talk.span, decision });
  // A denial by the coordinator is in the log already: it wrote it when it decided.
  if (done.fact && decision?.effect !== "deny") talk.unlogged.push(done.fact);
  if (done.submission) talk.submission = done.submission;
  return done.result;
}

function chatAttributes({ model, turns }: Conversation) {
  return {
    [attribute.operation]: operation.chat,
    [attribute.provider]: "sheaf",
    [attribute.requestModel]: model.name,
    [attribute.turn]: turns,
  };
}

function usageAttributes(usage: Usage) {
  return {
    [attribute.inputTokens]: usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
    [attribute.outputTokens]: usage.output_tokens,
    [attribute.cacheReadTokens]: usage.cache_read_tokens,
    [attribute.cacheWriteTokens]: usage.cache_write_tokens,
  };
}
