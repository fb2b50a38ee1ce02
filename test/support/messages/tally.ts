import type { Counted } from "./prompt-cache.ts";

/** What became of one request. */
export interface Logged {
  /** Text of its first message. */
  first: string;
  turn: number;
  attempt: number;
  model: string;
  status: number;
  /** `broken`: an answer was begun and never ended. */
  end: "answered" | "broken" | "refused";
  usage: Counted & { output_tokens: number };
  /** What it was asked, where the server keeps that. */
  body?: unknown;
  error?: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Sums of what was answered. */
export interface Total {
  requests: number;
  refused: number;
  broken: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
}

export function totalOf(logged: readonly Logged[]): Total {
  const total = emptyTotal();
  for (const one of logged) addTo(total, one);
  return total;
}

export function emptyTotal(): Total {
  return {
    ...{ requests: 0, refused: 0, broken: 0 },
    ...{ input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
  };
}

export function addTo(total: Total, { end, usage }: Logged): void {
  if (end === "refused") total.refused += 1;
  else if (end === "broken") total.broken += 1;
  if (end !== "answered") return;
  total.requests += 1;
  total.input_tokens += usage.input_tokens;
  total.output_tokens += usage.output_tokens;
  total.cache_read_tokens += usage.cache_read_input_tokens;
  total.cache_write_tokens += usage.cache_creation_input_tokens;
}
