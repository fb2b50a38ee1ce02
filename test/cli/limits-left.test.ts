import { expect, it } from "vitest";
import { limitsLeft } from "../../src/cli/limits-left.ts";
import type { Result } from "../../src/protocol/result.ts";

const none = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
const spent = (cost_usd: number, input_tokens: number, cost_known = true) =>
  ({ usage: { ...none, input_tokens, cost_usd, cost_known } }) as Result;
const limits = { time_ms: 1, idle_ms: 1 };

it("what planning and a sample spent is taken off the limits of what follows, and that is said", () => {
  const told: string[] = [];
  const tell = (line: string) => void told.push(line);
  const asked = { ...limits, nano_usd: 3_000_000_000, tokens: 1_000 };
  expect(limitsLeft(asked, [spent(1, 300), spent(0.5, 100)], { tell })).toEqual({
    maxUsd: "1.500000000",
    maxTokens: "600",
  });
  expect(told).toEqual(["limits $1.50 of $3.00 and 600 of 1000 tokens are left after what was done before"]);
  expect(limitsLeft(asked, [spent(9, 3_000)], { tell })).toEqual({ maxUsd: "0.000000000", maxTokens: "1" });
  expect(limitsLeft(limits, [spent(9, 3_000)], { tell })).toEqual({});
  expect(limitsLeft(asked, [spent(0, 0)], { tell })).toEqual({});
  expect(limitsLeft({ ...asked, is_default_usd: true }, [spent(1, 0, false)], { tell })).toEqual({});
});
