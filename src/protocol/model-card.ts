import { z } from "zod";

/** What is known of a model. Money is integer nano-USD; prices are nano-USD per token (3 USD per million = 3,000). */
const rates = {
  input: z.number().min(0),
  output: z.number().min(0),
  cache_read: z.number().min(0),
  cache_write_5m: z.number().min(0),
  cache_write_1h: z.number().min(0),
};
export const tokenPrice = z.object({
  ...rates,
  /** Of requests with more input than that (read from a cache and written to one included): all their tokens. */
  long: z.object({ over_tokens: z.number().int().positive(), ...rates }).optional(),
});
export type TokenPrice = z.infer<typeof tokenPrice>;

export const modelCard = z.object({
  /** As the endpoint knows it, such as `claude-sonnet-4-5`. */
  id: z.string(),
  /** Most tokens of a request and its answer together. */
  context_tokens: z.number().int().positive(),
  /** Most tokens of one answer. */
  output_tokens: z.number().int().positive(),
  /** Absent: nobody knows what it costs, and cost is said to be unknown. */
  price: tokenPrice.optional(),
});
export type ModelCard = z.infer<typeof modelCard>;
