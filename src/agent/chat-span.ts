import { costOf } from "../model/cost.ts";
import type { ModelAnswer, ModelFailed } from "../model/model.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import { attribute, chatSpan, operation, retryEvent } from "../telemetry/semconv.ts";
import type { Span } from "../telemetry/thread-tracer.ts";
import { CallFailed } from "./call-failed.ts";
import type { Conversation } from "./conversation.ts";
import type { Fitted } from "./fit-request.ts";

/** The span of one model call, all its attempts included. */
export function startChat(talk: Conversation, { request }: Fitted): Span {
  const { model, turns, endpoint, span, tracer } = talk;
  const attributes = {
    [attribute.operation]: operation.chat,
    [attribute.provider]: providerOf(talk),
    [attribute.requestModel]: model.name,
    [attribute.requestMaxTokens]: model.card ? request.maxTokens : undefined,
    [attribute.turn]: turns,
    ...(endpoint ? { ...addressOf(endpoint), [attribute.replay]: "live" } : {}),
  };
  return tracer.start(chatSpan(model.name), { parent: span, kind: "client", attributes });
}

export function noteRetry(chat: Span, attempt: number, { kind, message, status, retryAfterMs }: ModelFailed): void {
  chat.event(retryEvent, {
    [attribute.retryAttempt]: attempt,
    [attribute.errorType]: kind,
    [attribute.retryReason]: message,
    [attribute.statusCode]: status,
    [attribute.retryAfterMs]: retryAfterMs,
  });
}

export function noteBegan(chat: Span, afterMs: number): void {
  chat.set({ [attribute.timeToFirstChunk]: afterMs / 1_000 });
}

export function noteFailure(chat: Span, thrown: unknown, { model }: Conversation): void {
  if (model.isReplay) chat.set({ [attribute.replay]: "miss" });
  const message = thrown instanceof Error ? thrown.message : "no answer";
  chat.set({ [attribute.errorType]: thrown instanceof CallFailed ? thrown.failure.code : nameOf(thrown) });
  chat.end({ status: "error", message });
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : "unknown";
}

export function noteAnswer(chat: Span, answer: ModelAnswer, { model }: Conversation): void {
  const { usage, stop } = answer;
  chat.set({
    [attribute.responseFinishReasons]: [stop],
    [attribute.responseModel]: answer.model,
    [attribute.responseId]: answer.requestId,
    [attribute.inputTokens]: usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
    [attribute.outputTokens]: usage.output_tokens,
    [attribute.cacheReadTokens]: usage.cache_read_tokens,
    [attribute.cacheWriteTokens]: usage.cache_write_tokens,
    [attribute.costNanoUsd]: model.card ? (costOf(usage, model.card.price) ?? undefined) : undefined,
    [attribute.replay]: model.isReplay ? "hit" : undefined,
  });
}

/** The well-known values of `gen_ai.provider.name`. */
const providers = { anthropic: "anthropic", bedrock: "aws.bedrock", vertex: "gcp.vertex_ai" } as const;

function providerOf({ endpoint, spec }: Conversation): string {
  if (spec.provider !== "messages") return "sheaf";
  return providers[endpoint?.kind ?? spec.via];
}

function addressOf({ base_url: url }: Endpoint): Record<string, string | number> {
  if (!URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "http:" ? 80 : 443;
  return { [attribute.serverAddress]: hostname, [attribute.serverPort]: port === "" ? usual : Number(port) };
}
