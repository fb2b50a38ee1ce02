import { z } from "zod";
import { duration } from "../protocol/duration.ts";
import { checked } from "./checked.ts";

/** The keys of `sheaf.config.yaml` about models: who answers, what it costs, and how much of it there may be. */

const usdPerMillion = z.number().min(0).max(1_000_000);

const price = z.strictObject({
  input: usdPerMillion.describe("USD per million tokens that are neither read from a cache nor written to one"),
  output: usdPerMillion.describe("USD per million tokens of answers"),
  cache_read: usdPerMillion.optional().describe("USD per million tokens read from the cache; default as input"),
  cache_write_5m: usdPerMillion
    .optional()
    .describe("USD per million tokens written to the cache for five minutes; default as input"),
  cache_write_1h: usdPerMillion
    .optional()
    .describe("USD per million tokens written to the cache for an hour; default as cache_write_5m"),
});

const model = z.strictObject({
  context: z.int().min(1_000).max(100_000_000).optional().describe("tokens of a request and its answer together"),
  output: z.int().min(1).max(10_000_000).optional().describe("most tokens of one answer"),
  price: price.optional().describe("what it costs; without one the cost is unknown"),
});

export const models = z
  .record(z.string().min(1).max(200), model)
  .default({})
  .describe("by the id that the endpoint knows it by: what Sheaf does not know of a model, or knows otherwise");

const endpointUrl = checked((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    return "this is no address of a server; write one that begins with https:// or http://";
  if (url.username || url.password) return "this address holds a user name or password; write the key under `key`";
  return url.search || url.hash
    ? "this address has a query or a fragment; leave out what begins with ? or #"
    : undefined;
});

const key = z
  .strictObject({
    env: z.string().min(1).optional().describe("the variable of Sheaf's own environment that holds it"),
    file: z.string().min(1).optional().describe("the file that holds it; relative to this one"),
  })
  .superRefine(({ env, file }, context) => {
    if ((env === undefined) === (file === undefined)) {
      context.addIssue({ code: "custom", message: "a key comes from one place; write either env or file" });
    }
  });

const capabilities = z.strictObject({
  cache: z.boolean().optional().describe("it may be sent cache_control; default yes, until it refuses"),
  long_cache: z.boolean().optional().describe("cache entries of an hour; default only api.anthropic.com"),
  count_tokens: z.boolean().optional().describe("it counts tokens when asked; default only api.anthropic.com"),
  betas: z.array(z.string().min(1).max(200)).max(50).optional().describe("names of beta features to ask for"),
});

const perMinute = z.int().min(1).max(1_000_000_000);

export const endpoint = z.strictObject({
  url: endpointUrl
    .optional()
    .describe("who speaks the Anthropic Messages API; default ANTHROPIC_BASE_URL, else https://api.anthropic.com"),
  key: key.optional().describe("its key; default ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN where url is not set"),
  requests_per_minute: perMinute.optional().describe("most requests in any minute, of all nodes together"),
  tokens_per_minute: perMinute.optional().describe("most tokens, of requests and answers, in any minute"),
  concurrency: z.int().min(1).max(100_000).optional().describe("most requests at one time, of this process"),
  capabilities: capabilities.prefault({}).describe("what it may be sent beyond the oldest form of a request"),
  first_chunk: duration.prefault("3m").describe("how long an answer may take to begin"),
  stall: duration.prefault("1m").describe("how long an answer that has begun may be silent"),
});

const usd = z.number().min(0).max(9_000_000);
const tokens = z.int().min(1).max(1_000_000_000_000);

export const budget = z.strictObject({
  usd_per_day: usd.optional().describe("most USD of all jobs together in a day (UTC)"),
  tokens_per_day: tokens.optional().describe("most tokens of all jobs together in a day (UTC)"),
  usd_per_job: usd.optional().describe("most USD of one job, whatever it asks for"),
  tokens_per_job: tokens.optional().describe("most tokens of one job, whatever it asks for"),
});
