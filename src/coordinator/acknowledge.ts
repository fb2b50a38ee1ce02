import type { Fact, ThreadFact } from "../protocol/event.ts";
import type { ToolUse } from "../protocol/message.ts";
import type { Denial } from "../protocol/result.ts";
import type { Decision } from "../protocol/scope.ts";
import { toolNamed } from "../tools/catalog.ts";
import { type JudgeView, judge } from "../tools/judge.ts";

/**
 * The coordinator's choke point: every tool call with an effect is decided here, outside the model and outside its
 * thread, and the answer is in the log before the thread hears it.
 */
export interface Acknowledgement {
  /** What goes into the log: the thread's facts, each answer followed by the intents and denials it led to. */
  facts: Fact[];
  /** By call id; calls that only read are absent: the thread decides those itself. */
  decisions: Record<string, Decision>;
  denials: Omit<Denial, "task">[];
}

export function acknowledge(reported: readonly ThreadFact[], view: JudgeView): Acknowledgement {
  const acknowledged: Acknowledgement = { facts: [], decisions: {}, denials: [] };
  for (const fact of reported) {
    acknowledged.facts.push(fact);
    if (fact.type === "tool.denied") acknowledged.denials.push(denialOf(fact.data));
    if (fact.type !== "turn.finished") continue;
    for (const block of fact.data.answer) if (block.type === "tool_use") decideCall(block, view, acknowledged);
  }
  return acknowledged;
}

function decideCall(call: ToolUse, view: JudgeView, into: Acknowledgement): void {
  const tool = toolNamed(call.name);
  // A tool that does not exist, or was not offered, is turned away in the thread without ever running.
  if (!tool || tool.effect === "read") return;
  const { decision, subject } = judge(call, view);
  into.decisions[call.id] = decision;
  if (decision.effect === "allow") {
    into.facts.push({ type: "tool.intended", data: { call_id: call.id, tool: call.name, rule: decision.rule } });
    return;
  }
  const { rule, source, reason } = decision;
  const denied = { call_id: call.id, tool: call.name, input: subject, rule, source, reason };
  into.facts.push({ type: "tool.denied", data: denied });
  into.denials.push(denialOf(denied));
}

function denialOf(denied: Omit<Denial, "task">): Omit<Denial, "task"> {
  const { tool, input, rule, reason } = denied;
  return { tool, input, rule, reason };
}
