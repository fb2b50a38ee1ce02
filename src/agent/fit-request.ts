import type { ModelRequest } from "../model/model.ts";
import type { Message } from "../protocol/message.ts";
import type { ModelCard } from "../protocol/model-card.ts";
import type { Manifest, ModelAsk } from "../protocol/run-fact.ts";
import { CallFailed } from "./call-failed.ts";
import type { Conversation } from "./conversation.ts";

/** A request that is thought to fit the model's context, what it may take at worst, and what of the log is in it. */
export interface Fitted {
  request: ModelRequest;
  ask: ModelAsk;
  manifest: Manifest;
}

/** Leaves out what has to be. Throws CallFailed where that is not enough. */
export function fitRequest(talk: Conversation): Fitted {
  const { card } = talk.model;
  let fitted = requestOf(talk, card);
  if (!card) return fitted;
  const room = Math.min(mostAnswer(card, talk), Math.floor(card.context_tokens / 4));
  while (likely(fitted, talk) + room > card.context_tokens && talk.fold.shorten()) fitted = requestOf(talk, card);
  if (isOverfull(fitted, talk)) throw tooSmall(fitted, card);
  return fitted;
}

/** After an endpoint found the request too long; undefined when nothing is left to leave out. */
export function shortenRequest(talk: Conversation): Fitted | undefined {
  return talk.fold.shorten() ? fitRequest(talk) : undefined;
}

/** With what was said to the agent since it was fitted: nothing more is left out for it, but the answer may be shorter. */
export function withNotices({ request, ask, manifest }: Fitted, talk: Conversation): Fitted {
  const told = requestOf(talk, talk.model.card);
  const maxTokens = Math.min(request.maxTokens, told.request.maxTokens);
  return {
    request: { ...told.request, maxTokens },
    ask: { input_tokens: told.ask.input_tokens, max_tokens: Math.min(ask.max_tokens, maxTokens) },
    manifest,
  };
}

/** No endpoint would take it. */
export function isOverfull(fitted: Fitted, talk: Conversation): boolean {
  const { card } = talk.model;
  return card !== undefined && likely(fitted, talk) > card.context_tokens * surelyTooLong;
}

export function tooLong(message: string): CallFailed {
  const remedy = "make the task smaller (split it further), or give it to a model with a larger context";
  return new CallFailed({ code: "too_long", message, remedy });
}

function requestOf(talk: Conversation, card: ModelCard | undefined): Fitted {
  const { system, tools, model, news } = talk;
  const { messages, manifest } = talk.fold.request();
  const request = { system, tools, messages, breakpoints: breakpointsOf(messages, talk), maxTokens: 0, news };
  if (!card) return { request, ask: { input_tokens: 0, max_tokens: 0 }, manifest: { ...manifest, input_tokens: 0 } };
  // The estimate is on the high side already; what was seen to take more is expected to take more again.
  const estimated = Math.ceil((model.estimate?.(request) ?? 0) * Math.max(1, talk.scale));
  const left = card.context_tokens - Math.ceil(estimated * Math.min(1, talk.scale));
  const maxTokens = Math.min(mostAnswer(card, talk), Math.max(leastAnswer, left));
  return {
    request: { ...request, maxTokens },
    ask: { input_tokens: estimated, max_tokens: maxTokens },
    manifest: { ...manifest, input_tokens: estimated },
  };
}

function mostAnswer(card: ModelCard, { spec, answerTokens }: Conversation): number {
  const asked = spec.provider === "messages" ? spec.max_tokens : undefined;
  return Math.min(card.output_tokens, asked ?? answerTokens);
}

/** Less is no use; the endpoint says if it does not fit. */
const leastAnswer = 256;

/** An estimate may be so much above what an endpoint would count, and then it is the endpoint's to refuse. */
const surelyTooLong = 1.35;

function likely({ ask }: Fitted, { scale }: Conversation): number {
  return Math.ceil(ask.input_tokens * Math.min(1, scale));
}

/** After what all runs of the job share, and after all there is so far. */
function breakpointsOf(messages: readonly Message[], { hasBrief }: Conversation): ModelRequest["breakpoints"] {
  const message = messages.length - 1;
  const block = (messages[message]?.content.length ?? 1) - 1;
  const shared = hasBrief && (message > 0 || block > 0) ? [{ message: 0, block: 0 }] : [];
  return [...shared, { message, block }];
}

function tooSmall({ ask }: Fitted, card: ModelCard): CallFailed {
  return tooLong(
    `about ${ask.input_tokens} tokens are to be read at once, and the context of ${card.id} has ${card.context_tokens}`,
  );
}
