import type { Message } from "../protocol/message.ts";
import type { ModelRequest, ToolSchema } from "./model.ts";

/**
 * How many tokens a request takes, without asking anybody and rather too many than too few: a token for every three
 * bytes of text, and some for what stands around it. Each message is measured once, however many requests it is in.
 */
export function estimateTokens(request: Pick<ModelRequest, "system" | "messages" | "tools">): number {
  let tokens = aroundRequest + tokensOf(request.system) + measured(request.tools, request.tools.length, toolTokens);
  for (const message of request.messages) tokens += measured(message, message.content.length, messageTokens);
  return tokens;
}

/** Of a text alone. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

/** A token is three to four bytes of English or of code; text as dense as keys and digests is the rare case. */
const bytesPerToken = 3;
const aroundRequest = 16;
const aroundMessage = 4;
const aroundBlock = 8;
/** What an endpoint adds to a request with tools, by Anthropic's table of tool use prompts (at most 346, and 530). */
const aroundTools = 530;

/** By message, and by list of tools; a message that has grown since is measured again. */
const known = new WeakMap<object, { length: number; tokens: number }>();

function measured<T extends object>(part: T, length: number, measure: (part: T) => number): number {
  const before = known.get(part);
  if (before?.length === length) return before.tokens;
  const tokens = measure(part);
  known.set(part, { length, tokens });
  return tokens;
}

function toolTokens(tools: readonly ToolSchema[]): number {
  return tools.length === 0 ? 0 : aroundTools + tools.length * aroundBlock + tokensOf(JSON.stringify(tools));
}

function messageTokens({ content }: Message): number {
  let tokens = aroundMessage;
  for (const block of content) tokens += aroundBlock + blockTokens(block);
  return tokens;
}

function blockTokens(block: Message["content"][number]): number {
  switch (block.type) {
    case "text":
      return tokensOf(block.text);
    case "tool_use":
      return tokensOf(block.id) + tokensOf(block.name) + tokensOf(JSON.stringify(block.input ?? {}));
    case "tool_result":
      return tokensOf(block.tool_use_id) + tokensOf(block.content);
    case "thinking":
      return tokensOf(block.thinking) + tokensOf(block.signature ?? "");
    case "redacted_thinking":
      return tokensOf(block.data);
  }
}
