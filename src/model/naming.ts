import type { AnswerBlock, Message, ToolUse } from "../protocol/message.ts";
import { nameCalls } from "./tool-use.ts";

/** Of the whole run: what is left out of a request was said all the same. */
export interface Naming {
  turn: number;
  taken: Set<string>;
}

/** Calls get ids of their own where they need some. A conversation that was begun elsewhere counts, too. */
export function named(content: AnswerBlock[], messages: readonly Message[], naming: Naming): AnswerBlock[] {
  if (naming.turn === 0) {
    const said = messages.filter(({ role }) => role === "assistant");
    for (const { id } of said.flatMap(callsIn)) naming.taken.add(id);
    naming.turn = said.length;
  }
  naming.turn += 1;
  const calls = callsIn({ content });
  if (calls.length === 0) return content;
  const renamed = nameCalls(calls, naming.turn, naming.taken);
  for (const { id } of renamed) naming.taken.add(id);
  const next = renamed.values();
  return content.map((block) => (block.type === "tool_use" ? (next.next().value ?? block) : block));
}

/** An answer of the same run, given to a process before this one. */
export function recall(content: readonly AnswerBlock[], naming: Naming): void {
  naming.turn += 1;
  for (const block of content) if (block.type === "tool_use") naming.taken.add(block.id);
}

function callsIn({ content }: Pick<Message, "content">): ToolUse[] {
  return content.flatMap((block) => (block.type === "tool_use" ? [block] : []));
}
