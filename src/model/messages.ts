import { AnthropicError, APIError } from "@anthropic-ai/sdk/error";
import type { Endpoint } from "../protocol/endpoint.ts";
import type { ModelCard } from "../protocol/model-card.ts";
import { type Assembled, openAssembly } from "./assemble.ts";
import { type Door, openDoor } from "./door.ts";
import { estimateTokens, tokensOf } from "./estimate.ts";
import { failureOfBreak, failureOfStatus, refusalText, shortened } from "./failure-of.ts";
import { asObject, countAt, parseJson } from "./json.ts";
import { listen } from "./listen.ts";
import { type Hearing, type Model, type ModelAnswer, ModelFailed, type ModelRequest } from "./model.ts";
import { type Naming, named, recall } from "./naming.ts";
import { openPatience } from "./patience.ts";
import { rateSigns } from "./rate-signs.ts";
import { type Droppable, refusedField } from "./refused-field.ts";
import { requestBody } from "./request.ts";
import { usageOf } from "./token-count.ts";

/**
 * A model behind the Messages API, whoever serves it. One answer is one attempt: it waits for nothing and tries nothing
 * again, but for a field that the endpoint refuses by name, which is left out from then on.
 */
export interface Served {
  name: string;
  /** The endpoint's own word for it. */
  model: string;
  card: ModelCard;
  endpoint: Endpoint;
}

export function messagesModel(served: Served): Model {
  const { name, card, endpoint } = served;
  const stale = new Set<Droppable>();
  const naming: Naming = { turn: 0, taken: new Set() };
  let door: Door | undefined;
  return {
    name,
    card,
    estimate: estimateTokens,
    recalled: (content) => recall(content, naming),
    async answer(request, hearing) {
      hearing.signal.throwIfAborted();
      door ??= await openDoor(endpoint);
      for (;;) {
        const answer = await attempt(request, hearing, { served, door, stale, naming });
        if (!("refused" in answer)) return answer;
        leaveOut(answer.refused, { door, stale, hearing });
      }
    },
    async countTokens(request, signal) {
      const tokens = endpoint.capabilities.count_tokens ? await countedTokens(request, signal, served) : undefined;
      return tokens === undefined
        ? { tokens: estimateTokens(request), isEstimate: true }
        : { tokens, isEstimate: false };
    },
  };
}

interface At {
  served: Served;
  door: Door;
  /** What is left out of this run's requests alone. */
  stale: Set<Droppable>;
  naming: Naming;
}

/** Of the endpoint, so for all runs; but signatures are of one conversation. */
function leaveOut(field: Droppable, { door, stale, hearing }: Pick<At, "door" | "stale"> & { hearing: Hearing }): void {
  if (field === "signature") stale.add(field);
  else {
    door.dropped.add(field);
    hearing.said?.({ at: "dropped", field });
  }
}

async function attempt(request: ModelRequest, hearing: Hearing, at: At): Promise<ModelAnswer | { refused: Droppable }> {
  // An abort from before now calls no listener.
  hearing.signal.throwIfAborted();
  const { endpoint } = at.served;
  const { body, sent } = requestBody(request, requestOptions(request, at));
  const stop = new AbortController();
  const onAbort = () => stop.abort(hearing.signal.reason);
  hearing.signal.addEventListener("abort", onAbort, { once: true });
  const patience = openPatience(stop, { firstMs: endpoint.first_chunk_ms, stallMs: endpoint.stall_ms });
  let isOver = false;
  const heard = () => {
    patience.heard();
    if (!isOver) hearing.heard?.();
  };
  const assembly = openAssembly();
  let headers = new Headers();
  try {
    const response = await at.door.post("/v1/messages", body, { signal: stop.signal, timeoutMs: timeoutOf(endpoint) });
    headers = response.headers;
    hearing.said?.({ at: "answered", status: response.status, rate: rateSigns(headers, Date.now()) });
    const ear = { patience: { ...patience, heard }, began: () => hearing.began?.(), leave: () => stop.abort() };
    await listen(response, assembly, ear);
    return answerOf(assembly.end(), request, { headers, naming: at.naming });
  } catch (thrown) {
    const isBroken = stop.signal.aborted || isBreak(thrown);
    const cause: unknown = stop.signal.aborted ? stop.signal.reason : thrown;
    // What is left of an answer that nobody wants any more would hold its socket.
    stop.abort();
    hearing.signal.throwIfAborted();
    // All of it was here when the connection broke.
    if (isBroken && assembly.ended() !== "no") return answerOf(assembly.end(), request, { headers, naming: at.naming });
    return failed(cause, { at, hearing, sent });
  } finally {
    isOver = true;
    patience.end();
    hearing.signal.removeEventListener("abort", onAbort);
  }
}

function requestOptions(request: ModelRequest, { served, door, stale }: Omit<At, "naming">) {
  const { card, endpoint, model } = served;
  return {
    model,
    maxTokens: request.maxTokens > 0 ? request.maxTokens : card.output_tokens,
    cache: endpoint.capabilities.cache,
    longCache: endpoint.capabilities.long_cache,
    betas: endpoint.capabilities.betas.length > 0,
    dropped: new Set<string>([...door.dropped, ...stale]),
  };
}

/** Our own patience ends first; the SDK's only must not end before it. */
function timeoutOf({ first_chunk_ms }: Endpoint): number {
  return Math.min(first_chunk_ms + 60_000, 2 ** 31 - 1);
}

interface Around {
  at: At;
  hearing: Hearing;
  sent: ReadonlySet<Droppable>;
}

/** Throws what ended the attempt, unless it was a field that can be left out. */
function failed(thrown: unknown, { at, hearing, sent }: Around): { refused: Droppable } {
  hearing.signal.throwIfAborted();
  if (thrown instanceof ModelFailed) throw told(thrown, at, hearing);
  if (!(thrown instanceof APIError) || thrown.status === undefined) {
    throw isBreak(thrown) ? told(failureOfBreak(thrown, at.served.endpoint.name), at, hearing) : thrown;
  }
  const status: number = thrown.status;
  const headers = thrown.headers ?? new Headers();
  const rate = rateSigns(headers, Date.now());
  hearing.said?.({ at: "answered", status, rate });
  const text = withoutKeys(refusalText(thrown.error, thrown.message), at.served.endpoint);
  const refused = status === 400 || status === 422 ? refusedField(text, sent) : undefined;
  if (refused !== undefined) return { refused };
  const isFinal = headers.get("x-should-retry") === "false";
  const { endpoint, model } = at.served;
  throw failureOfStatus({ status, text, retryAfterMs: rate.retry_after_ms, isFinal, name: endpoint.name, model });
}

/** Of a connection; a mistake of ours is none, and is not tried again. */
function isBreak(thrown: unknown): boolean {
  if (thrown instanceof AnthropicError) return true;
  return thrown instanceof Error && (thrown.cause !== undefined || "code" in thrown || thrown.name === "AbortError");
}

function told(failure: ModelFailed, { served }: At, hearing: Hearing): ModelFailed {
  failure.message = shortened(withoutKeys(failure.message, served.endpoint));
  hearing.said?.({ at: "lost", reason: failure.message });
  return failure;
}

/** Servers like to repeat the key that they did not like. */
function withoutKeys(text: string, { api_key, auth_token, aws }: Endpoint): string {
  const keys = [api_key, auth_token, aws?.secret_key, aws?.session_token];
  return keys.reduce<string>((clean, key) => (key ? clean.replaceAll(key, "[redacted:key]") : clean), text);
}

function answerOf(
  made: Assembled,
  request: ModelRequest,
  { headers, naming }: { headers: Headers; naming: Naming },
): ModelAnswer {
  const usage = usageOf(made.told, {
    input: () => estimateTokens(request),
    output: () => made.content.reduce((sum, block) => sum + tokensOf(JSON.stringify(block)), 0),
  });
  const requestId = headers.get("request-id") ?? headers.get("x-request-id") ?? headers.get("x-amzn-requestid");
  return {
    content: named(made.content, request.messages, naming),
    stop: made.stop,
    usage,
    ...(made.model === "" ? {} : { model: made.model }),
    ...(requestId ? { requestId } : {}),
  };
}

/** undefined where the endpoint does not count after all. */
async function countedTokens(request: ModelRequest, signal: AbortSignal, served: Served): Promise<number | undefined> {
  const door = await openDoor(served.endpoint);
  if (door.dropped.has("count_tokens")) return undefined;
  const { body } = requestBody(request, requestOptions(request, { served, door, stale: new Set() }));
  const { max_tokens: _most, stream: _stream, ...counted } = body;
  try {
    const options = { signal, timeoutMs: timeoutOf(served.endpoint) };
    const response = await door.post("/v1/messages/count_tokens", counted, options);
    return countAt(asObject(parseJson(await response.text())), "input_tokens");
  } catch (thrown) {
    signal.throwIfAborted();
    // It has no such thing; one that only failed is asked again next time.
    if (thrown instanceof APIError && [404, 405, 501].includes(thrown.status ?? 0)) door.dropped.add("count_tokens");
    return undefined;
  }
}
