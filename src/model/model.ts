import type { ModelSign } from "../protocol/endpoint.ts";
import type { ThreadFact } from "../protocol/event.ts";
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
  /** Facts that this thread told since the last request, and the intent of this one: for a model that answers from a log. */
  news?: readonly ThreadFact[];
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
  /** Another piece is here, maybe one that says nothing. Told of each. */
  heard?(): void;
}

export interface Model {
  /** `claude-sonnet-4-5`, `recipe/node-protocol`, `scripted/liar.yaml`. */
  readonly name: string;
  /** Absent: it takes no tokens, and nothing is reserved for it. */
  readonly card?: ModelCard;
  /** It answers from a log, and asks nobody. */
  readonly isReplay?: true;
  /** Tokens that the request will take, guessed without asking anybody: rather too many than too few. */
  estimate?(request: ModelRequest): number;
  /** As the endpoint counts them; `isEstimate` where it cannot. Rejects with the signal's reason. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<{ tokens: number; isEstimate: boolean }>;
  /** Told of each answer of the run that a process before this one was given: no call is named like one of those. */
  recalled?(content: readonly AnswerBlock[]): void;
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
  /** What to try next, where waiting does not help. */
  readonly remedy: string | undefined;

  constructor(kind: ModelFailed["kind"], message: string, options: ModelFailedOptions = {}) {
    super(message);
    this.name = "ModelFailed";
    this.kind = kind;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.isBilled = options.isBilled ?? false;
    this.remedy = options.remedy;
  }
}

export interface ModelFailedOptions {
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  isBilled?: boolean;
  remedy?: string | undefined;
}
