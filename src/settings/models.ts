import type { TokenPrice } from "../protocol/model-card.ts";
import type { WrittenSettings } from "./written.ts";

/** What the operator says of models. Keys are here as values, and never shown. */
export interface ModelSettings {
  /** By model id: what goes before what Sheaf knows of it. */
  cards: Readonly<Record<string, ModelOverride>>;
  endpoint: EndpointSettings;
  budget: BudgetSettings;
}

export interface ModelOverride {
  context_tokens?: number;
  output_tokens?: number;
  price?: TokenPrice;
}

export interface EndpointSettings {
  url?: string;
  key?: string;
  requestsPerMinute?: number;
  tokensPerMinute?: number;
  concurrency?: number;
  capabilities: { cache?: boolean; long_cache?: boolean; count_tokens?: boolean; betas?: string[] };
  firstChunkMs: number;
  stallMs: number;
}

/** Tokens and nano-USD. */
export interface BudgetSettings {
  day: { nano_usd?: number; tokens?: number };
  job: { nano_usd?: number; tokens?: number };
}

/** `key` is what `endpoint.key` names. */
export function modelSettingsOf(written: WrittenSettings, key: string | undefined): ModelSettings {
  const { usd_per_day, tokens_per_day, usd_per_job, tokens_per_job } = written.budget;
  const cards = Object.entries(written.models).map(([id, model]) => [id, overrideOf(model)] as const);
  return {
    // Without a prototype: a model may be called whatever every object has.
    cards: Object.assign(Object.create(null), Object.fromEntries(cards)),
    endpoint: endpointOf(written.endpoint, key),
    budget: { day: sumsOf(usd_per_day, tokens_per_day), job: sumsOf(usd_per_job, tokens_per_job) },
  };
}

function overrideOf({ context, output, price }: WrittenSettings["models"][string]): ModelOverride {
  return {
    ...(context === undefined ? {} : { context_tokens: context }),
    ...(output === undefined ? {} : { output_tokens: output }),
    ...(price ? { price: priceOf(price) } : {}),
  };
}

/** USD per million tokens are a thousand nano-USD per token. */
function priceOf(usd: NonNullable<WrittenSettings["models"][string]["price"]>): TokenPrice {
  const { input, output, cache_read = input, cache_write_5m = input, cache_write_1h = cache_write_5m } = usd;
  return {
    input: input * 1_000,
    output: output * 1_000,
    cache_read: cache_read * 1_000,
    cache_write_5m: cache_write_5m * 1_000,
    cache_write_1h: cache_write_1h * 1_000,
  };
}

function endpointOf(written: WrittenSettings["endpoint"], key: string | undefined): EndpointSettings {
  const { url, requests_per_minute, tokens_per_minute, concurrency, capabilities, first_chunk, stall } = written;
  const { cache, long_cache, count_tokens, betas } = capabilities;
  return {
    ...(url === undefined ? {} : { url }),
    ...(key === undefined ? {} : { key }),
    ...(requests_per_minute === undefined ? {} : { requestsPerMinute: requests_per_minute }),
    ...(tokens_per_minute === undefined ? {} : { tokensPerMinute: tokens_per_minute }),
    ...(concurrency === undefined ? {} : { concurrency }),
    capabilities: {
      ...(cache === undefined ? {} : { cache }),
      ...(long_cache === undefined ? {} : { long_cache }),
      ...(count_tokens === undefined ? {} : { count_tokens }),
      ...(betas === undefined ? {} : { betas }),
    },
    firstChunkMs: first_chunk,
    stallMs: stall,
  };
}

function sumsOf(usd: number | undefined, tokens: number | undefined): { nano_usd?: number; tokens?: number } {
  return {
    ...(usd === undefined ? {} : { nano_usd: Math.round(usd * 1e9) }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}
