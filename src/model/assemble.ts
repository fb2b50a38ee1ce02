import type { AnswerBlock } from "../protocol/message.ts";
import { failureOfEvent } from "./failure-of.ts";
import { asObject, type Json, textAt } from "./json.ts";
import { ModelFailed, type StopReason } from "./model.ts";
import { count, emptyCount, type TokenCount } from "./token-count.ts";
import { addInput, closeToolUse, type OpenToolUse, openToolUse } from "./tool-use.ts";

/**
 * Makes an answer of the events of a stream, or of a whole message. It takes what servers make of the format: blocks
 * that come complete at their start, tokens counted at the end or never, calls without ids. It guesses nothing that
 * would be acted on: an input that is no object stays text, and a stream that breaks off is no answer.
 */
export interface Assembly {
  /** One event of a stream, maybe with its kind beside it alone. Throws ModelFailed for one that tells of an error. */
  take(event: Json, kind?: string): void;
  /** A message that came in one piece. Throws ModelFailed where it is none. */
  takeWhole(message: Json): void;
  /** Nothing that counts is still to come: `said` where the reason of the end is here, `all` where the last event is. */
  ended(): "no" | "said" | "all";
  /** What was assembled. Throws ModelFailed where the end is missing. */
  end(): Assembled;
}

/** Ids of calls are as they came, maybe missing or repeated. */
export interface Assembled {
  content: AnswerBlock[];
  stop: StopReason;
  told: TokenCount;
  model: string;
}

interface State {
  /** In the order in which they began; some servers give all of them the same number. */
  blocks: OpenBlock[];
  byIndex: Map<number, OpenBlock | undefined>;
  last: number;
  stop: string;
  isStopped: boolean;
  /** Of events: whether any was one of this API, and whether any was none. */
  isKnown: boolean;
  isForeign: boolean;
  /** Characters so far, by and large. */
  size: number;
  told: TokenCount;
  model: string;
}

type OpenBlock =
  | { type: "text"; text: string }
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string }
  | OpenToolUse;

export function openAssembly(): Assembly {
  const state: State = {
    blocks: [],
    byIndex: new Map(),
    last: -1,
    stop: "",
    isStopped: false,
    isKnown: false,
    isForeign: false,
    size: 0,
    told: emptyCount(),
    model: "",
  };
  return {
    take: (event, kind = "") => take(state, event, kind),
    takeWhole(message) {
      if (message.type === "error" || isError(message)) throw failureOfEvent(message);
      const { content } = message;
      if (!Array.isArray(content) && typeof content !== "string") {
        throw new ModelFailed("refused", noMessage, { isBilled: true, remedy });
      }
      takeMessage(state, message);
      const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
      for (const [index, block] of blocks.entries()) openBlock(state, index, asObject(block));
      state.isStopped = true;
    },
    ended: () => (state.isStopped ? "all" : state.stop === "" ? "no" : "said"),
    end: () => assembled(state),
  };
}

const noMessage = "the answer is no message of the Messages API";

const remedy = "check that the endpoint's address is that of a server that speaks the Anthropic Messages API";

/** Some servers tell of an error, and of nothing else, without saying that it is one. */
function isError({ error, content }: Json): boolean {
  return error !== undefined && error !== null && content === undefined;
}

function take(state: State, event: Json, kind: string): void {
  const type = textAt(event, "type") || (isError(event) ? "error" : kind);
  const taker = takers[type];
  if (taker) state.isKnown = true;
  else if (type !== "ping") state.isForeign = true;
  taker?.(state, event);
}

/** Events of other kinds, such as pings and what later versions add, are passed over. */
const takers: Readonly<Record<string, (state: State, event: Json) => void>> = Object.assign(Object.create(null), {
  message_start: (state: State, event: Json) => {
    takeMessage(state, asObject(event.message));
    // What was said before it began to speak is no count of what it said.
    state.told.output = undefined;
  },
  content_block_start: (state: State, event: Json) =>
    openBlock(state, indexOf(event, state.last + 1), asObject(event.content_block)),
  content_block_delta: (state: State, event: Json) => addTo(state, indexOf(event, state.last), asObject(event.delta)),
  message_delta: (state: State, event: Json) => {
    state.stop = textAt(asObject(event.delta), "stop_reason") || state.stop;
    count(state.told, event.usage);
  },
  message_stop: (state: State) => {
    state.isStopped = true;
  },
  error: (_state: State, event: Json) => {
    throw failureOfEvent(event);
  },
});

function takeMessage(state: State, message: Json | undefined): void {
  state.model = textAt(message, "model") || state.model;
  state.stop = textAt(message, "stop_reason") || state.stop;
  count(state.told, message?.usage);
}

function indexOf(event: Json, otherwise: number): number {
  return typeof event.index === "number" ? event.index : otherwise;
}

function openBlock(state: State, index: number, block: Json | undefined): void {
  const opened = block && blockOf(block);
  if (opened) grow(state, sizeOf(opened));
  state.last = index;
  state.byIndex.set(index, opened);
  if (opened) state.blocks.push(opened);
}

/** undefined for a kind that nobody asked for. */
function blockOf(block: Json): OpenBlock | undefined {
  switch (block.type) {
    case "text":
      return { type: "text", text: textAt(block, "text") };
    case "thinking":
      return { type: "thinking", thinking: textAt(block, "thinking"), signature: textAt(block, "signature") };
    case "redacted_thinking":
      return { type: "redacted_thinking", data: textAt(block, "data") };
    case "tool_use":
      return openToolUse(block);
    default:
      return undefined;
  }
}

function sizeOf(block: OpenBlock): number {
  switch (block.type) {
    case "text":
      return block.text.length;
    case "thinking":
      return block.thinking.length + block.signature.length;
    case "redacted_thinking":
      return block.data.length;
    case "tool_use":
      return block.id.length + block.name.length;
  }
}

/** Characters of an answer, and pieces: many times what any model says at once. */
const longest = 4_000_000;

function grow(state: State, by: number): void {
  state.size += by + 1;
  if (state.size > longest) {
    const message = `the answer is longer than ${longest} characters`;
    throw new ModelFailed("refused", message, { isBilled: true, remedy: "set max_tokens of the agent's model" });
  }
}

const parts = ["text", "thinking", "signature", "partial_json"] as const;

function addTo(state: State, index: number, delta: Json | undefined): void {
  if (!delta) return;
  grow(
    state,
    parts.reduce((sum, part) => sum + textAt(delta, part).length, 0),
  );
  const open = state.byIndex.get(index) ?? unannounced(state, index, delta);
  if (open?.type === "text") open.text += textAt(delta, "text");
  else if (open?.type === "tool_use") addInput(open, delta.partial_json);
  else if (open?.type === "thinking") {
    open.thinking += textAt(delta, "thinking");
    open.signature = textAt(delta, "signature") || open.signature;
  }
}

/** Text may come without its start; a call may not, for nobody knows whose input it is. */
function unannounced(state: State, index: number, delta: Json): OpenBlock | undefined {
  if (state.byIndex.has(index)) return undefined;
  if (delta.type === "text_delta") openBlock(state, index, { type: "text" });
  if (delta.type === "thinking_delta") openBlock(state, index, { type: "thinking" });
  return state.byIndex.get(index);
}

function assembled(state: State): Assembled {
  if (state.isForeign && !state.isKnown) throw new ModelFailed("refused", noMessage, { isBilled: true, remedy });
  if (!state.isStopped && state.stop === "") {
    throw new ModelFailed("lost", "the answer broke off before its end", { isBilled: true });
  }
  const isCut = state.stop === "max_tokens" || state.stop === "model_context_window_exceeded";
  const content = state.blocks.flatMap((block, at) => closed(block, isCut && at === state.blocks.length - 1));
  for (const block of content) if (block.type === "tool_use") grow(state, JSON.stringify(block.input).length);
  return { content, stop: stopOf(state.stop, content), told: state.told, model: state.model };
}

/** None of a text without a letter: no endpoint takes such a block back. */
function closed(block: OpenBlock, isCut: boolean): AnswerBlock[] {
  if (block.type === "tool_use") return [closeToolUse(block, isCut)];
  if (block.type === "text") return block.text === "" ? [] : [block];
  if (block.type === "redacted_thinking") return [block];
  const { signature, ...thinking } = block;
  if (signature === "" && thinking.thinking === "") return [];
  return [signature === "" ? thinking : { ...thinking, signature }];
}

/** Servers that do not tell a wish for results from an end are told apart by what the answer holds. */
function stopOf(said: string, content: readonly AnswerBlock[]): StopReason {
  if (said === "max_tokens" || said === "refusal" || said === "pause_turn") return said;
  if (said === "model_context_window_exceeded") return "too_long";
  return content.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";
}
