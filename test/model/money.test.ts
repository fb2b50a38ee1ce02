import fc from "fast-check";
import { expect, it } from "vitest";
import { cardOf } from "../../src/model/cards.ts";
import { costOf, worstCostOf } from "../../src/model/cost.ts";
import { estimateTokens } from "../../src/model/estimate.ts";
import { knownModels } from "../../src/model/prices.ts";
import { modelAliases } from "../../src/protocol/job-file-model.ts";
import type { Message } from "../../src/protocol/message.ts";
import { ask } from "../support/served-model.ts";

const at = Date.parse("2026-11-23T00:00:00Z");
const usage = { input_tokens: 1_000, output_tokens: 100, cache_read_tokens: 10_000, cache_write_tokens: 500 };

it("A call costs what the list says, to the nano-dollar.", () => {
  const { price } = cardOf("claude-sonnet-4-5", { at });
  // 1,000 x $3 + 100 x $15 + 10,000 x $0.30 + 500 x $3.75 per million.
  expect(costOf(usage, price)).toBe(9_375_000);
  expect(costOf({ ...usage, cache_write_1h_tokens: 200 }, price)).toBe(9_375_000 + 200 * (6_000 - 3_750));
  expect(costOf(usage, undefined)).toBeNull();
});

it("A price holds from its day on.", () => {
  const read = (day: string) => cardOf("claude-sonnet-5-5", { at: Date.parse(day) }).price?.cache_read;
  expect(read("2026-10-06T23:59:59Z")).toBe(200);
  expect(read("2026-10-07T00:00:00Z")).toBe(100);
});

it("A long request is dearer in all its tokens, where the list says so.", () => {
  const { price } = cardOf("claude-haiku-5-5", { at });
  const short = { input_tokens: 50_000, output_tokens: 10, cache_read_tokens: 50_000, cache_write_tokens: 0 };
  expect(costOf(short, price)).toBe(50_000 * 100 + 10 * 500 + 50_000 * 10);
  expect(costOf({ ...short, input_tokens: 50_001 }, price)).toBe(50_001 * 500 + 10 * 2_500 + 50_000 * 50);
});

it("No call costs more than its worst case, whatever of its input was read from a cache or written to one.", () => {
  const part = fc.nat(200_000);
  fc.assert(
    fc.property(
      fc.constantFrom(...knownModels),
      part,
      part,
      part,
      part,
      fc.nat(8_000),
      ({ id }, plain, read, write, hour, output) => {
        const { price } = cardOf(id, { at });
        const said = {
          input_tokens: plain,
          output_tokens: output,
          cache_read_tokens: read,
          cache_write_tokens: write,
          cache_write_1h_tokens: Math.min(write, hour),
        };
        const worst = worstCostOf({ input_tokens: plain + read + write, max_tokens: output }, price, {
          longCache: true,
        });
        const cost = costOf(said, price);
        if (cost === null || worst === null) expect(cost).toBe(worst);
        else expect(cost).toBeLessThanOrEqual(worst);
      },
    ),
  );
});

it("Every name that stands for the newest of a family is of a model whose price is known.", () => {
  for (const id of Object.values(modelAliases)) expect(cardOf(id, { at }).price, id).toBeDefined();
});

it("A model is known by its dated id and by other platforms' ids, which have prices of their own.", () => {
  const dated = cardOf("claude-haiku-4-5-20251001", { at });
  expect(dated).toMatchObject({ id: "claude-haiku-4-5-20251001", context_tokens: 200_000, price: { input: 1_000 } });
  const bedrock = cardOf("us.anthropic.claude-haiku-4-5-20251001-v1:0", { at, via: "bedrock" });
  expect(bedrock).toMatchObject({ context_tokens: 200_000, output_tokens: 64_000 });
  expect(bedrock).not.toHaveProperty("price");
  expect(cardOf("claude-haiku-4-5@20251001", { at, via: "vertex" })).toMatchObject({ context_tokens: 200_000 });
});

it("Of a model that nobody knows too little is believed, and nothing of its price, unless the operator says so.", () => {
  expect(cardOf("qwen3-coder:30b", { at })).toEqual({
    id: "qwen3-coder:30b",
    context_tokens: 32_768,
    output_tokens: 4_096,
  });
  const price = { input: 1, output: 2, cache_read: 0, cache_write_5m: 1, cache_write_1h: 1 };
  const overrides = { "qwen3-coder:30b": { context_tokens: 4_000, price }, constructor: {} };
  expect(cardOf("qwen3-coder:30b", { at, overrides })).toEqual({
    id: "qwen3-coder:30b",
    context_tokens: 4_000,
    output_tokens: 2_000,
    price,
  });
  expect(cardOf("toString", { at, overrides }).context_tokens).toBe(32_768);
});

it("An estimate is never below a token for four letters, and grows with the conversation.", () => {
  const anyText = fc.string({ unit: "grapheme", maxLength: 400 });
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 8 }), anyText, (texts, system) => {
      const messages: Message[] = [];
      let before = estimateTokens({ system, messages, tools: [] });
      for (const text of texts) {
        messages.push({ role: "user", content: [{ type: "text", text }] });
        const after = estimateTokens({ system, messages, tools: [] });
        expect(after).toBeGreaterThan(before);
        before = after;
      }
      const letters = system.length + texts.reduce((sum, text) => sum + text.length, 0);
      expect(before).toBeGreaterThanOrEqual(letters / 4);
    }),
  );
});

it("An estimate of a message that has grown since counts what is new in it.", () => {
  const content: { type: "text"; text: string }[] = [{ type: "text", text: "short" }];
  const request = ask({ messages: [{ role: "user", content }] });
  const before = estimateTokens(request);
  content.push({ type: "text", text: "x".repeat(3_000) });
  expect(estimateTokens(request)).toBeGreaterThan(before + 999);
});
