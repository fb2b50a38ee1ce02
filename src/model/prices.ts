import type { TokenPrice } from "../protocol/model-card.ts";

/**
 * What Claude models can take and what they cost on Anthropic's own API, with the days from which it holds. Source:
 * platform.claude.com/docs, "Pricing" and the overview of each model, as they stood in November 2026. A model without a
 * price here is one whose price nobody has confirmed; other platforms (Bedrock, Google Cloud) have prices of their own.
 */
export interface KnownModel {
  /** Without a date at its end. */
  id: string;
  context_tokens: number;
  output_tokens: number;
  /** In order of time. */
  prices: readonly DatedPrice[];
}

export interface DatedPrice {
  /** The first day it holds, UTC; "" from the first. */
  from: string;
  price: TokenPrice;
}

/** nano-USD per token: a thousand times the USD per million tokens. A write for 5 minutes costs 1.25 inputs, for an hour 2. */
function price(usd: { input: number; output: number; cacheRead: number }): TokenPrice {
  return {
    input: Math.round(usd.input * 1_000),
    output: Math.round(usd.output * 1_000),
    cache_read: Math.round(usd.cacheRead * 1_000),
    cache_write_5m: Math.round(usd.input * 1_250),
    cache_write_1h: Math.round(usd.input * 2_000),
  };
}

function always(usd: Parameters<typeof price>[0]): readonly DatedPrice[] {
  return [{ from: "", price: price(usd) }];
}

const large = { context_tokens: 1_000_000, output_tokens: 128_000 };
const small = { context_tokens: 200_000, output_tokens: 64_000 };

const fable5 = always({ input: 10, output: 50, cacheRead: 1 });
const fable51 = always({ input: 10, output: 50, cacheRead: 0.25 });
const opus = always({ input: 5, output: 25, cacheRead: 0.5 });
const sonnet4 = always({ input: 3, output: 15, cacheRead: 0.3 });

/** Every model that the SDK's types name. */
export const knownModels: readonly KnownModel[] = [
  { id: "claude-fable-5-2", ...large, prices: [] },
  { id: "claude-mythos-5-2", ...large, prices: [] },
  { id: "claude-fable-5-1", ...large, prices: fable51 },
  { id: "claude-mythos-5-1", ...large, prices: fable51 },
  { id: "claude-fable-5", ...large, prices: fable5 },
  { id: "claude-mythos-5", ...large, prices: fable5 },
  { id: "claude-mythos-preview", ...small, prices: [] },
  { id: "claude-opus-5-5", ...large, prices: always({ input: 4, output: 20, cacheRead: 0.2 }) },
  { id: "claude-opus-5", ...large, prices: opus },
  { id: "claude-opus-4-8", ...large, prices: opus },
  { id: "claude-opus-4-7", ...large, prices: opus },
  { id: "claude-opus-4-6", ...large, prices: opus },
  { id: "claude-opus-4-5", ...small, prices: opus },
  {
    id: "claude-sonnet-5-5",
    ...large,
    prices: [
      { from: "", price: price({ input: 2, output: 10, cacheRead: 0.2 }) },
      { from: "2026-10-07", price: price({ input: 2, output: 10, cacheRead: 0.1 }) },
    ],
  },
  { id: "claude-sonnet-5", ...large, prices: always({ input: 2, output: 10, cacheRead: 0.2 }) },
  { id: "claude-sonnet-4-6", ...small, prices: sonnet4 },
  { id: "claude-sonnet-4-5", ...small, prices: sonnet4 },
  {
    id: "claude-haiku-5-5",
    ...large,
    prices: [
      {
        from: "",
        price: {
          ...price({ input: 0.1, output: 0.5, cacheRead: 0.01 }),
          long: { over_tokens: 100_000, ...price({ input: 0.5, output: 2.5, cacheRead: 0.05 }) },
        },
      },
    ],
  },
  { id: "claude-haiku-4-5", ...small, prices: always({ input: 1, output: 5, cacheRead: 0.1 }) },
];
