import type { AnswerBlock, Message, Usage } from "../protocol/message.ts";

/**
 * What every provider looks like: messages and tool schemas in, text and tool calls out. A provider never executes
 * a tool, never decides a permission and never writes a file; it only asks.
 */
export interface ToolSchema {
  name: string;
  description: string;
  /** JSON Schema of the input object. */
  input_schema: Readonly<Record<string, unknown>>;
}

export interface ModelRequest {
  system: string;
  messages: readonly Message[];
  tools: readonly ToolSchema[];
}

export interface ModelAnswer {
  content: AnswerBlock[];
  /** `end_turn`: the calls in this answer are the last; `tool_use`: wants to see their results. */
  stop: "end_turn" | "tool_use";
  usage: Usage;
}

export interface Model {
  /** `recipe/node-protocol`, `scripted/liar.yaml`. */
  readonly name: string;
  /** Throws Fault for what the provider itself got wrong; an abort rejects with the signal's reason. */
  answer(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer>;
}
