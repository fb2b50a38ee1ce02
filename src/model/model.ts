import type { ModelSign } from "../protocol/endpoint.ts";
import type { AnswerBlock, Message, Usage } from "../protocol/message.ts";
import type { ModelCard } from "../protocol/model-card.ts";
import type { ToolSchema } from "../protocol/thread.ts";

/**
 * What every provider looks like: messages and tool schemas in, text and tool calls out. A provider never executes
 * a tool, never decides a permission and never writes a file; it only asks.
 */
export type { ToolSchema } from "../protocol/thread.ts";

export interface ModelRequest {
  system: string;
  messages: readonly Message[];
  tools: readonly ToolSchema[];
  /**
   * Blocks after which the prefix is worth keeping in a cache, besides the tools and the system text: at most two,
   * earliest first.
   */
  breakpoints: readonly { message: number; block: number }[];
  /** Most tokens of the answer. */
  maxTokens: number;
}

/**
 * `end_turn`: the calls in this answer are the last; `tool_use`: wants to see their results; `max_tokens`: cut off, maybe
 * in the middle of a call, whose input is then not there; `too_long`: the context ended before the answer did.
 */
export type StopReason = "end_turn" | "tool_use" | "max_tokens" | "refusal" | "pause_turn" | "too_long";

export interface ModelAnswer {
  content: AnswerBlock[];
  stop: StopReason;
  usage: Usage;
  /** What the endpoint says of itself, where it does. */
  model?: string;
  requestId?: string;
}

export interface Hearing {
  signal: AbortSignal;
  /** Told while it goes on; must not throw. */
  said?(sign: ModelSign): void;
  /** The first piece of the answer is here. */
  began?(): void;
}

export interface Model {
  /** `claude-sonnet-4-5`, `recipe/node-protocol`, `scripted/liar.yaml`. */
  readonly name: string;
  /** Absent: it takes no tokens, and nothing is reserved for it. */
  readonly card?: ModelCard;
  /** Tokens that the request will take, guessed without asking anybody: rather too many than too few. */
  estimate?(request: ModelRequest): number;
  /**
   * One attempt. Throws ModelFailed for what the endpoint answered or failed to, Fault for what the provider itself got
   * wrong; an abort rejects with the signal's reason.
   */
  answer(request: ModelRequest, hearing: Hearing): Promise<ModelAnswer>;
}

/** Why one attempt came to nothing. */
export class ModelFailed extends Error {
  /**
   * `busy`: over a rate or a capacity, wait and try again; `lost`: broken off, stalled or a server error, try again;
   * `too_long`: the request does not fit the context; `refused`: it will be refused again; `credentials`.
   */
  readonly kind: "busy" | "lost" | "too_long" | "refused" | "credentials";
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** The endpoint may count its tokens all the same. */
  readonly isBilled: boolean;

  constructor(
    kind: ModelFailed["kind"],
    message: string,
    { status, retryAfterMs, isBilled = false }: { status?: number; retryAfterMs?: number; isBilled?: boolean } = {},
  ) {
    super(message);
    this.name = "ModelFailed";
    this.kind = kind;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.isBilled = isBilled;
  }
}
