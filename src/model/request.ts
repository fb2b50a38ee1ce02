import type { Message } from "../protocol/message.ts";
import type { ModelRequest, ToolSchema } from "./model.ts";
import type { Droppable } from "./refused-field.ts";

/** The body of a Messages request, in its oldest form but for what the endpoint is known to take. */
export interface RequestBody {
  model: string;
  max_tokens: number;
  system?: string | TextParam[];
  tools?: ToolParam[];
  messages: MessageParam[];
  stream?: true;
}

interface CacheMark {
  cache_control?: { type: "ephemeral"; ttl?: "1h" };
}
type TextParam = { type: "text"; text: string } & CacheMark;
type ToolParam = ToolSchema & CacheMark;
type BlockParam = { type: string } & CacheMark;
interface MessageParam {
  role: Message["role"];
  content: BlockParam[];
}

export interface RequestOptions {
  model: string;
  maxTokens: number;
  cache: boolean;
  longCache: boolean;
  /** Whether it goes with names of beta features, which are in a header. */
  betas: boolean;
  /** What the endpoint refused before. */
  dropped: ReadonlySet<string>;
}

/** `sent` are the parts that the endpoint may refuse and do without. */
export function requestBody(
  request: ModelRequest,
  options: RequestOptions,
): { body: RequestBody; sent: ReadonlySet<Droppable> } {
  const sent = new Set<Droppable>();
  const form = formOf(options, sent);
  if (options.betas) form.may("anthropic-beta");
  const messages = messagesOf(request, form);
  const tools = request.tools.length > 0 ? { tools: toolsOf(request.tools, form) } : {};
  const system = request.system === "" ? {} : { system: systemOf(request.system, form) };
  const stream = form.may("stream") ? { stream: true as const } : {};
  return {
    body: { model: options.model, max_tokens: options.maxTokens, ...system, ...tools, messages, ...stream },
    sent,
  };
}

interface Form {
  /** Whether a part may be sent; it counts as sent then. */
  may(field: Droppable): boolean;
  /** The mark of a prefix worth keeping; `isShared`: by many runs, so for long where that can be had. */
  mark(isShared: boolean): CacheMark;
}

function formOf({ cache, longCache, dropped }: RequestOptions, sent: Set<Droppable>): Form {
  const may = (field: Droppable) => {
    if (dropped.has(field)) return false;
    sent.add(field);
    return true;
  };
  return {
    may,
    mark(isShared) {
      if (!cache || !may("cache_control")) return {};
      const ttl = isShared && longCache && may("ttl") ? { ttl: "1h" as const } : {};
      return { cache_control: { type: "ephemeral", ...ttl } };
    },
  };
}

function toolsOf(tools: readonly ToolSchema[], form: Form): ToolParam[] {
  return tools.map(({ name, description, input_schema }, at) => ({
    name,
    description,
    input_schema,
    ...(at === tools.length - 1 ? form.mark(true) : {}),
  }));
}

function systemOf(system: string, form: Form): string | TextParam[] {
  const mark = form.mark(true);
  return mark.cache_control ? [{ type: "text", text: system, ...mark }] : system;
}

/** Messages that are left without a block are left out, and what then stands side by side becomes one. */
function messagesOf({ messages, breakpoints }: ModelRequest, form: Form): MessageParam[] {
  const params: MessageParam[] = [];
  for (const [at, { role, content }] of messages.entries()) {
    const blocks: BlockParam[] = [];
    for (const [index, block] of content.entries()) {
      const param = blockOf(block, form);
      if (param) blocks.push(marked(param, markAt(breakpoints, { at, index }), form));
    }
    const last = params.at(-1);
    if (blocks.length > 0 && last?.role === role) last.content.push(...blocks);
    else if (blocks.length > 0) params.push({ role, content: blocks });
  }
  return params;
}

/** Of two breakpoints the first stands behind what many runs share. Thinking takes no mark. */
function markAt(
  breakpoints: ModelRequest["breakpoints"],
  { at, index }: { at: number; index: number },
): "none" | "shared" | "own" {
  const found = breakpoints.findIndex(({ message, block }) => message === at && block === index);
  if (found < 0) return "none";
  return found === 0 && breakpoints.length > 1 ? "shared" : "own";
}

function marked(param: BlockParam, mark: "none" | "shared" | "own", form: Form): BlockParam {
  if (mark === "none" || param.type === "thinking" || param.type === "redacted_thinking") return param;
  return { ...param, ...form.mark(mark === "shared") };
}

type Block = Message["content"][number];

/** undefined for what no endpoint takes back: text without a letter, thoughts without a signature. */
function blockOf(block: Block, form: Form): BlockParam | undefined {
  switch (block.type) {
    case "text":
      return block.text.trim() === "" ? undefined : block;
    case "tool_use":
      return block.malformed === undefined ? block : withoutText(block);
    case "tool_result":
      return block.is_error === undefined || isToldOf(block, form) ? block : withoutFlag(block);
    case "thinking":
    case "redacted_thinking":
      return isSigned(block) && form.may("thinking") && form.may("signature") ? block : undefined;
  }
}

function isToldOf(block: Extract<Block, { type: "tool_result" }>, form: Form): boolean {
  return block.is_error === true && form.may("is_error");
}

function isSigned(block: Extract<Block, { type: "thinking" | "redacted_thinking" }>): boolean {
  return block.type === "redacted_thinking" || block.signature !== undefined;
}

function withoutText({ malformed: _text, ...call }: Extract<Block, { type: "tool_use" }>): BlockParam {
  return call;
}

function withoutFlag({ is_error: _flag, ...result }: Extract<Block, { type: "tool_result" }>): BlockParam {
  return result;
}
