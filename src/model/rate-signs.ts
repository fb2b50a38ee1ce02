import type { RateSigns } from "../protocol/endpoint.ts";

/**
 * What an endpoint says of its rates, in the headers of any answer. Times are counted from its own `date`, so that a
 * clock that is wrong here does not lengthen or shorten a wait.
 */
export function rateSigns(headers: Headers, nowMs: number): RateSigns {
  const from = dateOf(headers.get("date")) ?? nowMs;
  const retry_after_ms = retryAfterMs(headers, from);
  return {
    ...windowOf("requests", headers, from),
    ...windowOf("input_tokens", headers, from),
    ...windowOf("output_tokens", headers, from),
    ...windowOf("tokens", headers, from),
    ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
  };
}

type Window = "requests" | "input_tokens" | "output_tokens" | "tokens";

function windowOf(name: Window, headers: Headers, from: number): RateSigns {
  const at = (part: string) => headers.get(`anthropic-ratelimit-${name.replace("_", "-")}-${part}`);
  const limit = numberOf(at("limit"));
  const remaining = numberOf(at("remaining"));
  const reset = dateOf(at("reset"));
  if (limit === undefined && remaining === undefined && reset === undefined) return {};
  return {
    [name]: {
      ...(limit === undefined ? {} : { limit }),
      ...(remaining === undefined ? {} : { remaining }),
      ...(reset === undefined ? {} : { reset_ms: within(reset - from) }),
    },
  };
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
function retryAfterMs(headers: Headers, from: number): number | undefined {
  const exact = numberOf(headers.get("retry-after-ms"));
  if (exact !== undefined) return within(exact);
  const said = headers.get("retry-after");
  const seconds = numberOf(said);
  if (seconds !== undefined) return within(seconds * 1_000);
  const date = dateOf(said);
  return date === undefined ? undefined : within(date - from);
}

/** Nobody means more than a day, and a date in the past means now. */
function within(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), 86_400_000);
}

function numberOf(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

function dateOf(text: string | null): number | undefined {
  const date = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}
