import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Body } from "./body.ts";
import { type Counted, createPromptCache } from "./prompt-cache.ts";
import { type Bucket, createBucket, type Rate } from "./rates.ts";
import { refuse, requestFields } from "./refuse.ts";
import { type Asked, type Behave, type Refused, toAnswer, toAsked } from "./reply.ts";
import { messageOf, type Sent, sendStream } from "./stream.ts";
import { addTo, emptyTotal, type Logged, type Total } from "./tally.ts";

/** One request from the door to its end: refused as the real endpoint would, or answered as the behaviour says, and counted. */
export interface ServerOptions {
  behave: Behave;
  key?: string;
  /** 0: any. */
  port?: number;
  rate?: Rate;
  /** Smallest prefix that is kept. */
  leastTokens?: number;
  /** Largest request, and largest answer. */
  contextTokens?: number;
  mostOutput?: number;
  /** Models there are; absent: any. */
  models?: readonly string[];
  /** Request fields that it does not know, as older servers. */
  lacks?: readonly string[];
  /** Keeps what was asked, or nothing but the sums; default what was asked of each without its body. */
  keep?: "bodies" | "sums";
  now?: () => number;
}

export const defaultKey = "sk-local-test-key";

export interface State {
  options: ServerOptions;
  key: string;
  fields: ReadonlySet<string>;
  cache: ReturnType<typeof createPromptCache>;
  bucket: Bucket | undefined;
  logged: Logged[];
  total: Total;
  attempts: Map<string, number>;
  answers: number;
  open: number;
  mostOpen: number;
  /** When the first request came and the last answer ended, in milliseconds since the epoch. */
  firstAt: number | undefined;
  lastAt: number | undefined;
  /** What the first request said to its model in front. */
  opening: Pick<Body, "system" | "tools"> | undefined;
}

export function stateOf(options: ServerOptions): State {
  const { key = defaultKey, lacks = [], rate, leastTokens, now = Date.now } = options;
  return {
    ...{
      options,
      key,
      logged: [],
      total: emptyTotal(),
      attempts: new Map(),
      answers: 0,
      open: 0,
      mostOpen: 0,
      firstAt: undefined,
      lastAt: undefined,
      opening: undefined,
    },
    fields: requestFields.difference(new Set(lacks)),
    cache: createPromptCache({ ...(leastTokens === undefined ? {} : { leastTokens }), now }),
    bucket: rate && createBucket(rate, now),
  };
}

export async function take(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const text = await readAll(request);
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (request.method === "POST" && pathname === "/reset") reset(state);
  if (pathname === "/tally" || pathname === "/reset") return sendJson(response, 200, tallyOf(state));
  const refused = refuseDoor(request, pathname, state);
  if (refused) return sendError(response, refused);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return sendError(response, invalid("The request body is not valid JSON"));
  }
  if (pathname === "/v1/messages/count_tokens") return countTokens(raw, response, state);
  const wrong = refuse(raw, state) ?? refuseCapability(text, state);
  const body = raw as Body;
  if (wrong) return refuseLogged(response, { body, wrong: invalid(wrong), state });
  return answer({ request, response, body, state });
}

function refuseDoor(request: IncomingMessage, path: string, { key }: State): Refused | undefined {
  const given = request.headers["x-api-key"] ?? request.headers.authorization?.replace(/^Bearer /, "");
  if (given !== key) return { status: 401, type: "authentication_error", message: "invalid x-api-key" };
  if (path !== "/v1/messages" && path !== "/v1/messages/count_tokens") {
    return { status: 404, type: "not_found_error", message: "Not found" };
  }
  if (request.method !== "POST") return { status: 405, type: "invalid_request_error", message: "Method Not Allowed" };
  if (!request.headers["anthropic-version"]) return invalid("anthropic-version: header is required");
  return undefined;
}

/** A field that it lacks may also stand deeper inside. */
function refuseCapability(text: string, { options }: State): string | undefined {
  const field = options.lacks?.find((name) => text.includes(`"${name}":`));
  return field && `${field}: Extra inputs are not permitted`;
}

function countTokens(raw: unknown, response: ServerResponse, state: State): void {
  const asked = { ...(raw as Body), max_tokens: 1 };
  const wrong = refuse(asked, state);
  if (wrong) sendError(response, invalid(wrong));
  else sendJson(response, 200, { input_tokens: state.cache.count(asked).total });
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  body: Body;
  state: State;
}

async function answer({ request, response, body, state }: Exchange): Promise<void> {
  state.firstAt ??= Date.now();
  state.opening ??= { system: body.system ?? "", tools: body.tools ?? [] };
  const asked = toAsked(body, request.headers, attemptOf(body, state));
  const taken = state.bucket?.take();
  const wrong = refuseByRate(taken) ?? refuseModel(body, state);
  const { counted, total, begin } = state.cache.count(body);
  const tooLong = wrong ? undefined : refuseLength(body, total, state);
  const reply = wrong ?? tooLong ?? (await state.options.behave(asked));
  if ("status" in reply) return refuseLogged(response, { body, asked, wrong: reply, state });
  if (reply.delayMs) await wait(reply.delayMs);
  state.answers += 1;
  const said = toAnswer(reply, state.answers, body.max_tokens);
  const sent: Sent = { answer: said, spoken: reply, body, counted };
  begin();
  const end = await send(response, sent, { "request-id": `req_${said.id}`, ...taken?.headers });
  log(state, { asked, status: 200, end, usage: { ...counted, output_tokens: said.outputTokens } });
}

async function send(
  response: ServerResponse,
  sent: Sent,
  headers: Record<string, string>,
): Promise<"answered" | "broken"> {
  if (!sent.body.stream) {
    const usage = { ...sent.counted, output_tokens: sent.answer.outputTokens };
    if (sent.spoken.break) response.destroy();
    else sendJson(response, 200, messageOf(sent.answer, sent.body, usage), headers);
    return sent.spoken.break ? "broken" : "answered";
  }
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    ...headers,
  });
  const how = await sendStream(response, sent);
  return how === "whole" ? "answered" : "broken";
}

/** By the first message and the number of turns: what a retry repeats. */
function attemptOf(body: Body, { attempts }: State): number {
  const key = `${body.messages.length} ${JSON.stringify(body.messages[0]?.content)}`;
  const attempt = (attempts.get(key) ?? 0) + 1;
  attempts.set(key, attempt);
  return attempt;
}

function refuseByRate(taken: ReturnType<Bucket["take"]> | undefined): Refused | undefined {
  if (taken?.retryAfterMs === undefined) return undefined;
  const { headers, retryAfterMs } = taken;
  return {
    ...{ status: 429, type: "rate_limit_error", message: "This request would exceed your rate limit" },
    headers: {
      ...headers,
      "retry-after": String(Math.ceil(retryAfterMs / 1_000)),
      "retry-after-ms": String(retryAfterMs),
    },
  };
}

function refuseModel({ model, max_tokens: most }: Body, { options }: State): Refused | undefined {
  const { models, mostOutput = 64_000 } = options;
  if (models && !models.includes(model)) return { status: 404, type: "not_found_error", message: `model: ${model}` };
  if (most <= mostOutput) return undefined;
  return invalid(
    `max_tokens: ${most} > ${mostOutput}, which is the maximum allowed number of output tokens for ${model}`,
  );
}

function refuseLength({ max_tokens: most }: Body, total: number, { options }: State): Refused | undefined {
  const { contextTokens = 200_000 } = options;
  if (total > contextTokens) return invalid(`prompt is too long: ${total} tokens > ${contextTokens} maximum`);
  if (total + most <= contextTokens) return undefined;
  return invalid(
    `input length and \`max_tokens\` exceed context limit: ${total} + ${most} > ${contextTokens}, decrease input length or \`max_tokens\` and try again`,
  );
}

function invalid(message: string): Refused {
  return { status: 400, type: "invalid_request_error", message };
}

interface Refusal {
  body: Body;
  asked?: Asked;
  wrong: Refused;
  state: State;
}

function refuseLogged(response: ServerResponse, { body, asked, wrong, state }: Refusal): void {
  const usage = { ...nothing, output_tokens: 0 };
  const error = wrong.message ?? "";
  log(state, {
    asked: asked ?? { body, turn: 0, attempt: 0, first: "" },
    status: wrong.status,
    end: "refused",
    usage,
    error,
  });
  if (wrong.isDropped) response.destroy();
  else sendError(response, wrong);
}

const nothing: Counted = {
  ...{ input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
};

type Ended = Pick<Logged, "status" | "end" | "usage" | "error"> & {
  asked: Pick<Asked, "body" | "turn" | "attempt" | "first">;
};

function log(state: State, { asked, ...ended }: Ended): void {
  const { body, turn, attempt, first } = asked;
  const logged: Logged = { ...ended, first, turn, attempt, model: body?.model, at: Date.now() };
  addTo(state.total, logged);
  state.lastAt = logged.at;
  const { keep } = state.options;
  if (keep !== "sums") state.logged.push(keep === "bodies" ? { ...logged, body } : logged);
}

/** What a test in another process asks for. */
export interface Tally extends Total {
  open: number;
  mostOpen: number;
  firstAt?: number | undefined;
  lastAt?: number | undefined;
  opening?: State["opening"];
  /** Of this process. */
  cpuMs: number;
}

function tallyOf({ total, open, mostOpen, firstAt, lastAt, opening }: State): Tally {
  const { user, system } = process.cpuUsage();
  return { ...total, open: open - 1, mostOpen, firstAt, lastAt, opening, cpuMs: (user + system) / 1_000 };
}

/** Counts from nothing, with an empty cache. */
function reset(state: State): void {
  const { total, open, options } = state;
  Object.assign(state, stateOf(options), { open, mostOpen: open });
  Object.assign(total, emptyTotal());
}

const typeOf: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

function sendError(response: ServerResponse, { status, type, message = "", headers = {} }: Refused): void {
  const error = { type: type ?? typeOf[status] ?? "invalid_request_error", message };
  sendJson(response, status, { type: "error", error, request_id: "req_refused" }, headers);
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
