import type { JobSpec } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import type { JobOptions } from "./read-job.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Planning, a sample and the rest are jobs of their own and one command: what the earlier ones spent is taken off the
 * limits of the next, and that is said. A sum that nobody asked for stays one where something has no known cost.
 */
export function limitsLeft(
  { nano_usd, is_default_usd, tokens }: JobSpec["limits"],
  before: readonly Result[],
  { tell }: Pick<Terminal, "tell">,
): Pick<JobOptions, "maxUsd" | "maxTokens"> {
  const spent = before.map(({ usage }) => usage);
  const isMoneyKnown = before.every(({ usage, plan }) => usage.cost_known && plan?.forecast?.nano_usd !== null);
  const nanoUsd = spent.reduce((sum, usage) => sum + Math.ceil(usage.cost_usd * 1e9), 0);
  const used = spent.reduce((sum, usage) => sum + tokensOf(usage), 0);
  const isMoneyKept = nano_usd !== undefined && nanoUsd > 0 && (!is_default_usd || isMoneyKnown);
  const usdLeft = isMoneyKept ? Math.max(0, nano_usd - nanoUsd) : undefined;
  const tokensLeft = tokens !== undefined && used > 0 ? Math.max(1, tokens - used) : undefined;
  const left = [
    ...(usdLeft === undefined ? [] : [`${usd(usdLeft)} of ${usd(nano_usd ?? 0)}`]),
    ...(tokensLeft === undefined ? [] : [`${tokensLeft} of ${tokens} tokens`]),
  ];
  if (left.length > 0) tell(`limits ${left.join(" and ")} are left after what was done before`);
  return {
    ...(usdLeft === undefined ? {} : { maxUsd: (usdLeft / 1e9).toFixed(9) }),
    ...(tokensLeft === undefined ? {} : { maxTokens: String(tokensLeft) }),
  };
}

function tokensOf(usage: Result["usage"]): number {
  const { input_tokens, cache_read_tokens, cache_write_tokens, output_tokens } = usage;
  return input_tokens + cache_read_tokens + cache_write_tokens + output_tokens;
}

function usd(nanoUsd: number): string {
  return `$${(nanoUsd / 1e9).toFixed(2)}`;
}
