import type { Usage } from "../protocol/message.ts";
import { asObject, countAt } from "./json.ts";

/** Tokens as an endpoint tells of them, maybe in several places of one answer; all of its counts only grow. */
export interface TokenCount {
  input: number | undefined;
  output: number | undefined;
  cacheRead: number | undefined;
  cacheWrite: number | undefined;
  cacheWrite1h: number | undefined;
}

export function emptyCount(): TokenCount {
  return {
    input: undefined,
    output: undefined,
    cacheRead: undefined,
    cacheWrite: undefined,
    cacheWrite1h: undefined,
  };
}

/** Takes in the `usage` of a message or of an event; anything else is passed over. */
export function count(into: TokenCount, usage: unknown): void {
  const said = asObject(usage);
  if (!said) return;
  into.input = larger(into.input, countAt(said, "input_tokens"));
  into.output = larger(into.output, countAt(said, "output_tokens"));
  into.cacheRead = larger(into.cacheRead, countAt(said, "cache_read_input_tokens"));
  into.cacheWrite = larger(into.cacheWrite, countAt(said, "cache_creation_input_tokens"));
  const kept = asObject(said.cache_creation);
  into.cacheWrite1h = larger(into.cacheWrite1h, countAt(kept, "ephemeral_1h_input_tokens"));
}

function larger(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? (left ?? right) : Math.max(left, right);
}

/** What was not told, or told as nothing although there was something, is guessed and marked as assumed. */
export function usageOf(told: TokenCount, guess: { input: () => number; output: () => number }): Usage {
  const { input = 0, cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0 } = told;
  const isInputTold = input + cacheRead + cacheWrite > 0;
  const guessedOutput = told.output ? undefined : guess.output();
  return {
    input_tokens: isInputTold ? input : guess.input(),
    output_tokens: guessedOutput ?? told.output ?? 0,
    cache_read_tokens: cacheRead,
    cache_write_tokens: cacheWrite,
    ...(cacheWrite1h > 0 ? { cache_write_1h_tokens: Math.min(cacheWrite1h, cacheWrite) } : {}),
    ...(told.cacheRead === undefined && told.cacheWrite === undefined ? { is_cache_unknown: true } : {}),
    ...(isInputTold && !guessedOutput ? {} : { is_assumed: true }),
  };
}
