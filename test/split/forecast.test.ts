import { expect, it } from "vitest";
import type { ModelSpec } from "../../src/protocol/agent.ts";
import { forecastOf } from "../../src/split/forecast.ts";

const thinking = (model: ModelSpec) => ({
  steps: [{ kind: "agent" as const, agent: { name: "a", instructions: "", model }, prompt: "" }],
});
const sonnet: ModelSpec = { provider: "messages", via: "anthropic", model: "sonnet-9" };
const script: ModelSpec = { provider: "scripted", file: "x", turns: [] };
const price = { input: 3_000, output: 15_000, cache_read: 300, cache_write_5m: 3_750, cache_write_1h: 6_000 };
const tasks = [thinking(sonnet), thinking(sonnet), thinking(script)];

it("stands on usual figures where no job of the name was there, and says so", () => {
  const forecast = forecastOf({ tasks, earlier: [], priceOf: () => price });
  expect(forecast).toMatchObject({ tasks: 3, turns: 24, input_tokens: 360_000, output_tokens: 14_400 });
  expect(forecast.nano_usd).toBe(24 * (15_000 * (0.9 * 300 + 0.1 * 3_000) + 600 * 15_000));
  expect(forecast.basis).toMatch(/^no job of this name before: 12 turns a task/);
});

it("does not know what a model without a price costs, and names it", () => {
  const forecast = forecastOf({ tasks, earlier: [], priceOf: () => undefined });
  expect(forecast).toMatchObject({
    nano_usd: null,
    basis: expect.stringContaining("nobody knows what sonnet-9 costs"),
  });
});

it("stands on what earlier jobs took for a task, and nothing on those that took nothing", () => {
  const earlier = [
    { handle: "x-2", tasks: 4, inputTokens: 4_000, outputTokens: 400, nanoUsd: 8_000 },
    { handle: "x-1", tasks: 9, inputTokens: 0, outputTokens: 0, nanoUsd: 0 },
  ];
  expect(forecastOf({ tasks, earlier, priceOf: () => price })).toMatchObject({
    input_tokens: 2_000,
    output_tokens: 200,
    nano_usd: 4_000,
    basis: "what a task of x-2 took on average",
  });
});

it("is nothing for tasks that take no tokens", () => {
  const forecast = forecastOf({ tasks: [thinking(script)], earlier: [], priceOf: () => undefined });
  expect(forecast).toMatchObject({ turns: 0, input_tokens: 0, nano_usd: 0 });
});
