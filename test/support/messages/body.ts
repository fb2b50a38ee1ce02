/** A request of the Messages API as it came, once it was found to be one. */
export interface Body {
  model: string;
  max_tokens: number;
  messages: Turn[];
  system?: string | Block[];
  tools?: ToolParam[];
  stream?: boolean;
  cache_control?: CacheControl | null;
  [other: string]: unknown;
}

export interface Turn {
  role: "user" | "assistant";
  content: string | Block[];
}

export interface CacheControl {
  type: "ephemeral";
  ttl?: "5m" | "1h";
}

/** A block of any kind; which fields it has goes by its type. */
export interface Block {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: string | Block[];
  is_error?: boolean;
  cache_control?: CacheControl | null;
  [other: string]: unknown;
}

export interface ToolParam {
  name: string;
  description?: string;
  input_schema: { type: "object" } & Record<string, unknown>;
  cache_control?: CacheControl | null;
  [other: string]: unknown;
}

/** Text alone is one block of text. */
export function blocksOf(content: string | Block[] | undefined): Block[] {
  if (content === undefined) return [];
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** All text of a block, of a tool's result too. */
export function textOf(block: Block): string {
  if (block.text !== undefined) return block.text;
  return block.content === undefined ? "" : blocksOf(block.content).map(textOf).join("");
}
