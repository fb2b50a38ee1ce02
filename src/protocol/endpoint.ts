import { z } from "zod";

/** Who answers model requests, with the key to it: crosses into a thread, and never enters a log, a span or an error. */
export const endpoint = z.object({
  /** What rates, refusals and spans know it by: the address without credentials, path and query. */
  name: z.string(),
  kind: z.enum(["anthropic", "bedrock", "vertex"]),
  /** Without `/v1`. */
  base_url: z.string(),
  api_key: z.string().optional(),
  auth_token: z.string().optional(),
  /** Of bedrock, where there is no api_key: what its requests are signed with. */
  aws: z.object({ access_key: z.string(), secret_key: z.string(), session_token: z.string().optional() }).optional(),
  /** Of bedrock and vertex. */
  region: z.string().optional(),
  project: z.string().optional(),
  /** What it may be sent beyond the oldest form of a request; an unknown server gets nothing that it may not know. */
  capabilities: z.object({
    cache: z.boolean(),
    /** Cache entries that live for an hour. */
    long_cache: z.boolean(),
    count_tokens: z.boolean(),
    betas: z.array(z.string()),
  }),
  /** Request fields that it refused before: not sent again. */
  dropped: z.array(z.string()),
  /** How long it may take to begin, and to be silent in between. */
  first_chunk_ms: z.number().int().positive(),
  stall_ms: z.number().int().positive(),
});
export type Endpoint = z.infer<typeof endpoint>;

/** What an endpoint says of its rates, by `anthropic-ratelimit-*`; times are milliseconds from now. */
const window = z.object({
  limit: z.number().optional(),
  remaining: z.number().optional(),
  reset_ms: z.number().optional(),
});
export const rateSigns = z.object({
  requests: window.optional(),
  input_tokens: window.optional(),
  output_tokens: window.optional(),
  tokens: window.optional(),
  retry_after_ms: z.number().optional(),
});
export type RateSigns = z.infer<typeof rateSigns>;

/** What a thread tells of its model calls while they go on: nothing of it is a fact of the run. */
export const modelSign = z.discriminatedUnion("at", [
  /** The first piece of the answer came: the cache entry of its prefix can be read now. Told again while it goes on. */
  z.object({ at: z.literal("began"), turn: z.number().int() }),
  /** Of every attempt that got an HTTP answer, failed ones too. */
  z.object({ at: z.literal("answered"), status: z.number().int(), rate: rateSigns }),
  /** No answer came, or it broke off. */
  z.object({ at: z.literal("lost"), reason: z.string() }),
  /** A field that the endpoint refused by name. */
  z.object({ at: z.literal("dropped"), field: z.string() }),
]);
export type ModelSign = z.infer<typeof modelSign>;
