import { z } from "zod";

/** What a model and the tools say to each other; the block shapes of the Anthropic Messages API. */
const textBlock = z.object({ type: z.literal("text"), text: z.string() });
export const toolUse = z.object({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
  /** What came in the place of an input, where it was no JSON object (or was cut off): `input` is empty, nothing is done. */
  malformed: z.string().optional(),
});
export const toolResult = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.string(),
  is_error: z.boolean().optional(),
});
export type ToolUse = z.infer<typeof toolUse>;
export type ToolResult = z.infer<typeof toolResult>;

/** What a model thought before it spoke: opaque, and sent back as it came where it is signed. */
const thinking = z.object({ type: z.literal("thinking"), thinking: z.string(), signature: z.string().optional() });
const redactedThinking = z.object({ type: z.literal("redacted_thinking"), data: z.string() });

export const answerBlock = z.discriminatedUnion("type", [textBlock, toolUse, thinking, redactedThinking]);
export type AnswerBlock = z.infer<typeof answerBlock>;

export const message = z.discriminatedUnion("role", [
  z.object({ role: z.literal("user"), content: z.array(z.discriminatedUnion("type", [textBlock, toolResult])) }),
  z.object({ role: z.literal("assistant"), content: z.array(answerBlock) }),
]);
export type Message = z.infer<typeof message>;

/** Tokens of one or many model calls. A provider that does not count says 0. */
export const usage = z.object({
  /** Neither read from a cache nor written to one. */
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cache_read_tokens: z.number().int(),
  cache_write_tokens: z.number().int(),
  /** Of those written, the ones kept for an hour instead of five minutes. */
  cache_write_1h_tokens: z.number().int().optional(),
  /** The endpoint said nothing of a cache: the zeros above mean nothing. */
  is_cache_unknown: z.boolean().optional(),
  /** A call went unanswered and may have been billed, so its worst case is counted; or the endpoint did not count. */
  is_assumed: z.boolean().optional(),
});
export type Usage = z.infer<typeof usage>;

export const noUsage: Usage = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

export function addUsage(left: Usage, right: Usage): Usage {
  return {
    input_tokens: left.input_tokens + right.input_tokens,
    output_tokens: left.output_tokens + right.output_tokens,
    cache_read_tokens: left.cache_read_tokens + right.cache_read_tokens,
    cache_write_tokens: left.cache_write_tokens + right.cache_write_tokens,
    ...longCache(left, right),
    ...(left.is_cache_unknown || right.is_cache_unknown ? { is_cache_unknown: true } : {}),
    ...(left.is_assumed || right.is_assumed ? { is_assumed: true } : {}),
  };
}

function longCache(left: Usage, right: Usage): Pick<Usage, "cache_write_1h_tokens"> {
  const sum = (left.cache_write_1h_tokens ?? 0) + (right.cache_write_1h_tokens ?? 0);
  return sum > 0 ? { cache_write_1h_tokens: sum } : {};
}
