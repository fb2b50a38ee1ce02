import { asObject, type Json, textAt } from "./json.ts";
import { ModelFailed } from "./model.ts";
import { isTooLong } from "./refused-field.ts";

/** What came of an attempt that got no answer, in our own words. Never holds a key, and never more than a few lines. */

export interface Refusal {
  status: number;
  /** What the endpoint wrote, as text. */
  text: string;
  retryAfterMs: number | undefined;
  /** It says itself that asking again does not help. */
  isFinal: boolean;
  /** Of the endpoint and the model, for people. */
  name: string;
  model: string;
}

/** An HTTP answer that is no success. */
export function failureOfStatus(refusal: Refusal): ModelFailed {
  const { status, text, retryAfterMs, name, model } = refusal;
  const { kind, remedy } = verdictOn(refusal);
  const asked = kind === "refused" ? ` to a request for ${model}` : "";
  const message = `${name} answered ${status}${asked}: ${shortened(text) || "without a word"}`;
  return new ModelFailed(kind, message, { status, retryAfterMs, remedy, isBilled: gaveUpWaiting.includes(status) });
}

/** A gateway in between gave up; the model behind it may have gone on. */
const gaveUpWaiting = [408, 499, 504, 524];

interface Verdict {
  kind: ModelFailed["kind"];
  remedy?: string;
}

function verdictOn(refusal: Refusal): Verdict {
  const { status, text, name, model } = refusal;
  if ((status === 400 || status === 422) && isTooLong(text)) return { kind: "too_long" };
  if (status === 429 || status === 529) return refusal.isFinal ? { kind: "refused", remedy: spent } : { kind: "busy" };
  const kind = kinds[status] ?? (status >= 500 ? "lost" : "refused");
  if (kind === "credentials") return { kind, remedy: `check the key for ${name}, and that it may use ${model}` };
  const remedy = kind === "refused" ? remedyFor(status, { name, model }) : undefined;
  return remedy === undefined ? { kind } : { kind, remedy };
}

const kinds: Readonly<Record<number, ModelFailed["kind"]>> = {
  401: "credentials",
  403: "credentials",
  408: "lost",
  409: "lost",
  413: "too_long",
};

function remedyFor(status: number, { name, model }: { name: string; model: string }): string | undefined {
  if (status === 404) return `check the address ${name}, and that it serves ${model}`;
  if (status === 402) return spent;
  return status < 400 ? "write the address that it leads to as the endpoint's own" : undefined;
}

const spent = "look at the credit and the spend limits of the account";

/**
 * An `error` event in a stream, or an error in the place of a message: what was made so far may be billed. Its message is
 * as long as the endpoint made it, for keys are taken out of whole texts alone.
 */
export function failureOfEvent(event: Json): ModelFailed {
  const error = asObject(event.error);
  const type = textAt(error, "type");
  const text = textAt(error, "message") || textAt(event, "error") || textAt(event, "message");
  const said = text || type || "an error without a word";
  return new ModelFailed(kindOfError(type, said), `the answer ended with an error: ${said}`, { isBilled: true });
}

function kindOfError(type: string, said: string): ModelFailed["kind"] {
  if (type === "overloaded_error" || type === "rate_limit_error") return "busy";
  if (type === "authentication_error" || type === "permission_error") return "credentials";
  if (type === "request_too_large" || isTooLong(said)) return "too_long";
  return type === "invalid_request_error" || type === "not_found_error" || type === "billing_error"
    ? "refused"
    : "lost";
}

/** A connection that was not made, or broke. */
export function failureOfBreak(thrown: unknown, name: string): ModelFailed {
  const causes = causesOf(thrown);
  const isBilled = !causes.some((cause) => neverArrived.has(codeOf(cause)));
  const reason = causes.map((cause) => cause.message).at(-1) ?? String(thrown);
  return new ModelFailed("lost", `no answer from ${name}: ${reason}`, { isBilled });
}

/** No byte of the request reached anybody who could answer it. */
const neverArrived = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

function causesOf(thrown: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = thrown; at instanceof Error && causes.length < mostCauses; at = at.cause) {
    causes.push(at);
    // Of a host with several addresses: one refusal each.
    if (at instanceof AggregateError && at.errors[0] instanceof Error) causes.push(at.errors[0]);
  }
  return causes;
}

const mostCauses = 8;

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

/** One line that a person can read. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > mostSaid ? `${line.slice(0, mostSaid)}...` : line;
}

const mostSaid = 500;

/** What a refusal says, out of the forms it may have. */
export function refusalText(body: unknown, otherwise: string): string {
  const json = asObject(body);
  if (!json) return typeof body === "string" ? body : otherwise;
  const inner = asObject(json.error);
  const said = [textAt(inner, "message"), textAt(json, "message"), textAt(json, "error"), detailOf(json)];
  return said.find((text) => text !== "") ?? JSON.stringify(json).slice(0, mostRead);
}

const mostRead = 10_000;

/** FastAPI lists its objections, each with the part of the request that it is about: words of ours, and none of its. */
function detailOf({ detail }: Json): string {
  if (!Array.isArray(detail)) return typeof detail === "string" ? detail : "";
  const lines = detail.map((each) => {
    const place = asObject(each)?.loc;
    return `${Array.isArray(place) ? place.join(".") : ""}: ${textAt(asObject(each), "msg")}`;
  });
  return lines.join("; ").slice(0, mostRead);
}
