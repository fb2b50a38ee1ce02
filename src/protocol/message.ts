import { z } from "zod";

/** What a model and the tools say to each other; the block shapes of the Anthropic Messages API. */
const textBlock = z.object({ type: z.literal("text"), text: z.string() });
export const toolUse = z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() });
export const toolResult = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.string(),
  is_error: z.boolean().optional(),
});
export type ToolUse = z.infer<typeof toolUse>;
export type ToolResult = z.infer<typeof toolResult>;

export const answerBlock = z.discriminatedUnion("type", [textBlock, toolUse]);
export type AnswerBlock = z.infer<typeof answerBlock>;

export const message = z.discriminatedUnion("role", [
  z.object({ role: z.literal("user"), content: z.array(z.discriminatedUnion("type", [textBlock, toolResult])) }),
  z.object({ role: z.literal("assistant"), content: z.array(answerBlock) }),
]);
export type Message = z.infer<typeof message>;

/** Tokens of one or many model calls. A provider that does not count says 0. */
export const usage = z.object({
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cache_read_tokens: z.number().int(),
  cache_write_tokens: z.number().int(),
});
export type Usage = z.infer<typeof usage>;

export const noUsage: Usage = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

export function addUsage(left: Usage, right: Usage): Usage {
  return {
    input_tokens: left.input_tokens + right.input_tokens,
    output_tokens: left.output_tokens + right.output_tokens,
    cache_read_tokens: left.cache_read_tokens + right.cache_read_tokens,
    cache_write_tokens: left.cache_write_tokens + right.cache_write_tokens,
  };
}
