import type { Usage } from "../protocol/message.ts";
import type { Orm } from "./database.ts";
import { sql } from "./drizzle.ts";

/** What one run used of a model, for the books of its tenant and day. */
export interface UsedModel {
  tenant: string;
  /** UTC, as 2026-11-23. */
  day: string;
  model: string;
  usage: Usage;
  /** Nano-USD of what has a price. */
  costNanoUsd: number;
  isCostKnown: boolean;
}

/** Adds it, inside the transaction that ends a job for runs that nobody ended: once, whatever is repeated. */
export async function recordUsage(used: UsedModel, transaction: Orm): Promise<void> {
  const { tenant, day, model, usage, costNanoUsd, isCostKnown } = used;
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = usage;
  await transaction.execute(sql`
insert into sheaf.usage as u (tenant, day, model, runs, input_tokens, output_tokens, cache_read_tokens,
  cache_write_tokens, cost_nano_usd, is_cost_known)
values (${tenant}, ${day}, ${model}, 1, ${input_tokens}, ${output_tokens}, ${cache_read_tokens},
  ${cache_write_tokens}, ${costNanoUsd}, ${isCostKnown})
on conflict (tenant, day, model) do update set
  runs = u.runs + 1,
  input_tokens = u.input_tokens + excluded.input_tokens,
  output_tokens = u.output_tokens + excluded.output_tokens,
  cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
  cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
  cost_nano_usd = u.cost_nano_usd + excluded.cost_nano_usd,
  is_cost_known = u.is_cost_known and excluded.is_cost_known`);
}
