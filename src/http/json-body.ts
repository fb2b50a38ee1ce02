import type { IncomingMessage } from "node:http";
import { createMiddleware } from "hono/factory";
import { type HttpEnv, refuse } from "./exchange.ts";
import type { HttpLimits } from "./limits.ts";
import type { Refusal } from "./problem.ts";

/**
 * Takes in a JSON body whole, within its bounds of size, time and depth, before anything looks at what it says. What
 * it says is the schema's to judge.
 */
export function jsonBody(limits: Pick<HttpLimits, "bodyBytes" | "bodyMs">) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { "content-type": types = [], "content-encoding": encodings = [] } = c.env.incoming.headersDistinct;
    const wrongType = refusalOfType(types, encodings);
    if (wrongType) return refuse(c, wrongType);
    const read = await collect(c.env.incoming, limits);
    if (!Buffer.isBuffer(read)) return refuse(c, read);
    const text = parse(read);
    if (typeof text !== "string") return refuse(c, text);
    // Where the adapter looks first; it waits for what it finds, whatever its declaration says.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    return next();
  });
}

/** The same for a route that can do without a body: no body is as good as an empty object. */
export function optionalJsonBody(limits: Pick<HttpLimits, "bodyBytes" | "bodyMs">) {
  const read = jsonBody(limits);
  return createMiddleware<HttpEnv>((c, next) => {
    const { headers } = c.env.incoming;
    const isEmpty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
    return isEmpty && headers["content-type"] === undefined ? next() : read(c, next);
  });
}

function refusalOfType(types: string[], encodings: string[]): Refusal | undefined {
  if (encodings.some((encoding) => encoding.toLowerCase() !== "identity")) {
    return {
      code: "unsupported_media_type",
      detail: `the body is encoded as ${shown(encodings)}`,
      remedy: "send it without Content-Encoding",
    };
  }
  const [type = "", ...more] = types;
  if (more.length === 0 && jsonType.test(type)) return undefined;
  return {
    code: "unsupported_media_type",
    detail: types.length === 0 ? "the body has no Content-Type" : `the body is ${shown(types)}`,
    remedy: "send JSON in UTF-8, with one header `Content-Type: application/json`",
  };
}

/** JSON has no charset but UTF-8; other parameters say nothing to us (RFC 8259, 11). */
const jsonType = /^application\/json[ \t]*(?:;(?!.*charset)[^,]*|;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

function shown(values: string[]): string {
  return JSON.stringify(values.join(", ").slice(0, 100));
}

/** A body may come a byte at a time, and each would be kept with the whole of what it was read with. */
const mostPieces = 1_000;

/** The body's bytes. It stops listening at the first byte too many. */
function collect(
  incoming: IncomingMessage,
  { bodyBytes, bodyMs }: Pick<HttpLimits, "bodyBytes" | "bodyMs">,
): Promise<Buffer | Refusal> {
  if (Number(incoming.headers["content-length"] ?? 0) > bodyBytes) return Promise.resolve(tooLarge(bodyBytes));
  const { promise, resolve } = Promise.withResolvers<Buffer | Refusal>();
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size > bodyBytes) resolve(tooLarge(bodyBytes));
    else if (chunks.push(chunk) > mostPieces) chunks.splice(0, chunks.length, Buffer.concat(chunks));
  };
  const end = () => resolve(Buffer.concat(chunks));
  const breakOff = () => resolve({ code: "bad_request", detail: "the body broke off" });
  const timer = setTimeout(() => resolve(tooSlow(bodyMs)), bodyMs);
  incoming.on("data", take).once("end", end).once("error", breakOff).once("close", breakOff);
  return promise.finally(() => {
    clearTimeout(timer);
    incoming.off("data", take).off("end", end).off("error", breakOff).off("close", breakOff);
    // It may yet break off, and then it is nobody's failure.
    incoming.on("error", () => {});
  });
}

function tooLarge(most: number): Refusal {
  return {
    code: "content_too_large",
    detail: `the body has more than ${most} bytes`,
    remedy: "put files of a repository into a git bundle (PUT /v1/bundles/{sha256}) rather than into the job",
    headers: { connection: "close" },
  };
}

function tooSlow(ms: number): Refusal {
  return {
    code: "request_timeout",
    detail: `the body did not arrive within ${Math.round(ms / 1000)} s`,
    remedy: "send the request again",
    headers: { connection: "close" },
  };
}

const deepest = 200;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text of a body that is JSON, or what is wrong with it. */
function parse(bytes: Buffer): string | Refusal {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { code: "malformed_json", detail: "the body is not UTF-8", remedy: "send JSON as UTF-8" };
  }
  try {
    JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.slice(0, 200) : "it cannot be parsed";
    return { code: "malformed_json", detail: why, remedy: "send one JSON value" };
  }
  // What comes after recurses, and would fall over what the parser takes with ease. Only of what was parsed, in which
  // every string ends: one that does not would be looked for from each of its quotes.
  if (depthOf(text) > deepest) {
    return { code: "malformed_json", detail: `the body is nested more than ${deepest} deep`, remedy: "nest it less" };
  }
  return text;
}

/** How many brackets are open at most; those in strings do not count. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const [mark] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (mark === "[" || mark === "{") most = Math.max(most, ++depth);
    else if (mark === "]" || mark === "}") depth -= 1;
  }
  return most;
}
