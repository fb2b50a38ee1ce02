import type { Usage } from "../protocol/message.ts";
import type { TokenPrice } from "../protocol/model-card.ts";

/** Nano-USD of one call, rounded up; null where nobody knows the price. Of many calls: the sum of each one's cost. */
export function costOf(usage: Usage, price: TokenPrice | undefined): number | null {
  if (!price) return null;
  const input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  const rates = ratesFor(input, price);
  const long = Math.min(usage.cache_write_1h_tokens ?? 0, usage.cache_write_tokens);
  return roundedUp(
    usage.input_tokens * rates.input +
      usage.output_tokens * rates.output +
      usage.cache_read_tokens * rates.cache_read +
      (usage.cache_write_tokens - long) * rates.cache_write_5m +
      long * rates.cache_write_1h,
  );
}

/**
 * The most that a call may cost: every token of its input written to a cache, for as long as the endpoint keeps any, and
 * an answer as long as it may be.
 */
export function worstCostOf(
  ask: { input_tokens: number; max_tokens: number },
  price: TokenPrice | undefined,
  { longCache = false }: { longCache?: boolean } = {},
): number | null {
  if (!price) return null;
  const rates = ratesFor(ask.input_tokens, price);
  const written = longCache ? Math.max(rates.cache_write_5m, rates.cache_write_1h) : rates.cache_write_5m;
  return roundedUp(ask.input_tokens * Math.max(rates.input, rates.cache_read, written) + ask.max_tokens * rates.output);
}

/** A long request is dearer in all its tokens (Claude Haiku 5.5 over 100,000 tokens of input). */
function ratesFor(inputTokens: number, price: TokenPrice): Omit<TokenPrice, "long"> {
  return price.long && inputTokens > price.long.over_tokens ? price.long : price;
}

/** Rates such as 62.5 are exact; others may leave a trace in the last digit, which is no nano-dollar. */
function roundedUp(nanoUsd: number): number {
  return Math.ceil(nanoUsd - 1e-6);
}
