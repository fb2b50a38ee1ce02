import type { ThreadFact } from "../protocol/event.ts";
import type { ToolResult, ToolUse } from "../protocol/message.ts";
import type { Decision } from "../protocol/scope.ts";
import { createTracer } from "../telemetry/thread-tracer.ts";
import { toolNamed } from "../tools/catalog.ts";
import { type Commanded, type Executed, execute } from "../tools/execute.ts";
import { type Conversation, logRest, notify, tell } from "./conversation.ts";
import { endsAt, toldAt } from "./loop-watch.ts";
import { threadClock } from "./thread-clock.ts";

/**
 * Runs the calls of one answer: reads that stand together at the same time, whatever has an effect alone and in its
 * place. After a submit nothing of the same answer runs. Returns how often the most repeated call has come to the same.
 */
export async function runCalls(
  talk: Conversation,
  calls: readonly ToolUse[],
  decisions: Readonly<Record<string, Decision>>,
): Promise<number> {
  let mostRepeated = 0;
  for (const group of groupsOf(calls)) {
    talk.line.signal.throwIfAborted();
    if (talk.submission) {
      for (const call of group) leaveOut(talk, call, decisionOn(call.id, decisions));
      continue;
    }
    const done = await Promise.all(group.map((call) => runCall(talk, call, decisionOn(call.id, decisions))));
    for (const [index, call] of group.entries()) {
      const one = done[index];
      if (one)
        mostRepeated = Math.max(
          mostRepeated,
          keep(talk, call, { done: one, decision: decisionOn(call.id, decisions) }),
        );
    }
  }
  return mostRepeated;
}

/** Reads at the same time; a run shares its thread with others. */
const mostAtOnce = 8;

/** Neighbours that only read, in groups; everything else alone. */
function groupsOf(calls: readonly ToolUse[]): ToolUse[][] {
  const groups: ToolUse[][] = [];
  let open: ToolUse[] | undefined;
  for (const call of calls) {
    const isRead = toolNamed(call.name)?.effect === "read";
    if (isRead && open && open.length < mostAtOnce) open.push(call);
    else {
      const group = [call];
      groups.push(group);
      open = isRead ? group : undefined;
    }
  }
  return groups;
}

/** A model names its calls as it likes, also by what every object has. */
function decisionOn(id: string, decisions: Readonly<Record<string, Decision>>): Decision | undefined {
  return Object.hasOwn(decisions, id) ? decisions[id] : undefined;
}

function runCall(talk: Conversation, call: ToolUse, decision: Decision | undefined): Promise<Executed | Commanded> {
  const runCommand = async (callId: string) => {
    await logRest(talk);
    return talk.line.command(callId);
  };
  // What has a result in the log has its span too.
  const tracer = talk.past.has(talk.turns + 1) ? quiet : talk.toolContext.tracer;
  return execute(call, { ...talk.toolContext, tracer, runCommand, parent: talk.span, decision });
}

const quiet = createTracer(() => {}, threadClock);

interface Done {
  done: Executed | Commanded;
  decision: Decision | undefined;
}

function keep(talk: Conversation, call: ToolUse, { done, decision }: Done): number {
  const { fact, result, submission } = done;
  // A denial by the coordinator is in the log already, and so is what came of a command.
  if (fact && decision?.effect !== "deny") tell(talk, fact, result.content);
  else talk.fold.add(fact ?? resultFact(call, result), result.content);
  if (submission) talk.submission = submission;
  if ("hasChanged" in done && done.hasChanged) {
    talk.loops.moved();
    return 1;
  }
  const hasChanged = fact?.type === "tool.finished" && (fact.data.changed?.length ?? 0) > 0;
  const count = talk.loops.saw(call, result, hasChanged);
  if (count >= toldAt && count < endsAt) notify(talk, "loop", repeatedText(call, count));
  return count;
}

function resultFact(
  call: ToolUse,
  { content, is_error: isError }: ToolResult,
): Extract<ThreadFact, { type: "tool.finished" }> {
  const data = { call_id: call.id, tool: call.name, is_error: isError === true, content };
  return { type: "tool.finished", data };
}

/** The thread reports on nothing that the coordinator decided and runs, nor on what it denied. */
function leaveOut(talk: Conversation, call: ToolUse, decision: Decision | undefined): void {
  const content = "not run: the task was submitted before it, in the same answer";
  const fact = resultFact(call, { type: "tool_result", tool_use_id: call.id, content, is_error: true });
  const isOwn = !decision || (decision.effect === "allow" && toolNamed(call.name)?.effect === "edit");
  if (isOwn) tell(talk, fact);
  else talk.fold.add(fact);
}

function repeatedText({ name }: ToolUse, count: number): string {
  return (
    `You have called ${name.slice(0, 100)} ${count} times with the same input, and the result was the same each time. ` +
    `Do something else, or submit what you have: at ${endsAt} times this run is ended.`
  );
}
