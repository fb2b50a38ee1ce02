import { type Block, type Body, blocksOf, textOf } from "./body.ts";
import { answerTokens, tokensOf } from "./prompt-cache.ts";

/** What a behaviour is told of a request. */
export interface Asked {
  body: Body;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** From 1: which answer of its conversation this will be. */
  turn: number;
  /** From 1: how often this very conversation has asked for this turn. */
  attempt: number;
  system: string;
  /** Text of the first message: what the task is. */
  first: string;
  /** Text of the last message, results of tools included. */
  last: string;
}

/** What goes over the wire as told, instead of or in the middle of an answer. */
export interface Break {
  /** Events that are sent before it. */
  after: number;
  /** `end`: the stream ends as if that were all. A name of an error: sent as an event, then the end. */
  how: "disconnect" | "stall" | "end" | "overloaded_error" | "api_error";
}

export interface Spoken {
  say?: string;
  thinking?: string;
  /** Without an id it gets one. */
  calls?: readonly { name: string; input: unknown; id?: string }[];
  stop?: string;
  /** Before anything is sent. */
  delayMs?: number;
  /** Absent: all at once. */
  tokensPerSecond?: number;
  break?: Break;
}

export interface Refused {
  status: number;
  type?: string;
  message?: string;
  headers?: Readonly<Record<string, string>>;
  /** Closes the connection without an answer. */
  isDropped?: boolean;
}

export type Reply = Spoken | Refused;
export type Behave = (asked: Asked) => Reply | Promise<Reply>;

/** An answer as it will be sent. */
export interface Answer {
  id: string;
  content: Block[];
  stop: string;
  outputTokens: number;
  /** Of the last block, a call that was cut off in its input: as much of the JSON as was said. */
  cutInput?: string;
}

export function toAsked(body: Body, headers: Asked["headers"], attempt: number): Asked {
  const all = ({ content }: { content: string | Block[] }) => blocksOf(content).map(textOf).join("\n");
  const [first] = body.messages;
  const last = body.messages.at(-1);
  return {
    ...{ body, headers, attempt },
    turn: body.messages.filter(({ role }) => role === "assistant").length + 1,
    system: blocksOf(body.system).map(textOf).join("\n"),
    first: first ? all(first) : "",
    last: last ? all(last) : "",
  };
}

/** Cuts it where its tokens end, as a real one would: in the middle of a word or of a call. */
export function toAnswer(spoken: Spoken, ordinal: number, maxTokens: number): Answer {
  const { say, thinking, calls = [] } = spoken;
  const id = ordinal.toString(36).padStart(8, "0");
  const content: Block[] = [
    ...(thinking ? [{ type: "thinking", thinking, signature: `signed-${id}` }] : []),
    ...(say ? [{ type: "text", text: say }] : []),
    ...calls.map((call, index) => ({
      type: "tool_use",
      id: call.id ?? `toolu_${id}${index}`,
      name: call.name,
      input: call.input,
    })),
  ];
  const stop = spoken.stop ?? (calls.length > 0 ? "tool_use" : "end_turn");
  // An answer of nothing costs its end.
  const outputTokens = Math.max(1, answerTokens(content));
  if (outputTokens <= maxTokens) return { id: `msg_${id}`, content, stop, outputTokens };
  return { id: `msg_${id}`, stop: "max_tokens", outputTokens: maxTokens, ...cut(content, maxTokens) };
}

function cut(content: readonly Block[], maxTokens: number): { content: Block[]; cutInput?: string } {
  const said: Block[] = [];
  let left = maxTokens;
  for (const block of content) {
    const tokens = tokensOf(JSON.stringify(block));
    if (tokens > left) return cutBlock(said, block, left);
    said.push(block);
    left -= tokens;
  }
  return { content: said };
}

function cutBlock(said: Block[], block: Block, left: number): { content: Block[]; cutInput?: string } {
  if (left === 0) return { content: said };
  if (block.type === "text") return { content: [...said, { ...block, text: (block.text ?? "").slice(0, left * 3) }] };
  if (block.type !== "tool_use") return { content: said };
  const cutInput = JSON.stringify(block.input).slice(0, Math.max(1, left * 3));
  return { content: [...said, { ...block, input: {} }], cutInput };
}
