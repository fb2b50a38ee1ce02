import type { AnswerBlock, ToolResult, ToolUse } from "../protocol/message.ts";

/**
 * Makes what was said fit to be sent again, whatever a model, a server or a crash left behind. It invents no result and
 * no words of the model's: where something is missing it says that it is.
 */

/** Without empty texts and repeated calls, and never empty. Blocks that are well stay the same objects. */
export function soundAnswer(answer: readonly AnswerBlock[]): AnswerBlock[] {
  const seen = new Set<string>();
  const sound: AnswerBlock[] = [];
  for (const block of answer) {
    if (block.type === "text" && block.text.trim() === "") continue;
    if (block.type !== "tool_use") sound.push(block);
    else if (!seen.has(block.id)) {
      seen.add(block.id);
      sound.push(soundCall(block));
    }
  }
  const hasSpoken = sound.some(({ type }) => type === "text" || type === "tool_use");
  return hasSpoken ? sound : [...sound, { type: "text", text: emptyAnswer }];
}

/** A result for each call, in the order of the calls; results of calls that nobody made are left out. */
export function pairResults(calls: readonly ToolUse[], results: ReadonlyMap<string, ToolResult>): ToolResult[] {
  return calls.map(({ id }) => results.get(id) ?? unknownResult(id));
}

const emptyAnswer = "(empty answer)";

/** What an endpoint would refuse to hear again, a model did say: a name that no tool can have, an input that is no object. */
function soundCall(call: ToolUse): ToolUse {
  const isNameSound = /^[\w-]{1,128}$/.test(call.name);
  if (isNameSound && isObject(call.input)) return call;
  const name = isNameSound ? call.name : call.name.replace(/[^\w-]/g, "_").slice(0, 128) || "unnamed";
  return { ...call, name, input: isObject(call.input) ? call.input : {} };
}

function isObject(input: unknown): boolean {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

function unknownResult(id: string): ToolResult {
  const content = "No result of this call is known: it did not run, or was interrupted. Look before you call it again.";
  return { type: "tool_result", tool_use_id: id, content, is_error: true };
}
