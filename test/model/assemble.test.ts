import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { openAssembly } from "../../src/model/assemble.ts";
import { ModelFailed } from "../../src/model/model.ts";
import { usageOf } from "../../src/model/token-count.ts";
import { answerBlock, usage } from "../../src/protocol/message.ts";

type Event = Record<string, unknown>;

function assembled(events: readonly Event[]) {
  const assembly = openAssembly();
  for (const event of events) assembly.take(event);
  return assembly.end();
}

const text = (index: unknown, said: string): Event[] => [
  { type: "content_block_start", index, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index, delta: { type: "text_delta", text: said } },
  { type: "content_block_stop", index },
];
const stop: Event = { type: "message_stop" };

it("Blocks that all have the same number, or none, are told apart by their starts.", () => {
  const both = [
    { type: "text", text: "one" },
    { type: "text", text: "two" },
  ];
  expect(assembled([...text(0, "one"), ...text(0, "two"), stop]).content).toEqual(both);
  expect(assembled([...text(undefined, "one"), ...text(undefined, "two"), stop]).content).toEqual(both);
});

it("Text that comes without its start is text; what belongs to a block of an unknown kind is not.", () => {
  const delta = (index: number): Event => ({
    type: "content_block_delta",
    index,
    delta: { type: "text_delta", text: "x" },
  });
  expect(assembled([delta(0), delta(0), stop]).content).toEqual([{ type: "text", text: "xx" }]);
  const unknown = { type: "content_block_start", index: 0, content_block: { type: "web_search_tool_result" } };
  expect(assembled([unknown, delta(0), stop]).content).toEqual([]);
});

it("What a call's input was cut into does not matter.", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.nat(), { maxLength: 6 }), (input, cuts) => {
      const json = JSON.stringify(input);
      const at = [0, ...cuts.map((cut) => cut % (json.length + 1)).sort((left, right) => left - right), json.length];
      const pieces = at.slice(1).map((end, piece) => json.slice(at[piece], end));
      const { content } = assembled([
        {
          type: "content_block_start",
          index: 0,
          content_block: { type: "tool_use", id: "a", name: "read", input: {} },
        },
        ...pieces.map((partial_json) => ({
          type: "content_block_delta",
          index: 0,
          delta: { type: "input_json_delta", partial_json },
        })),
        stop,
      ]);
      expect(content).toEqual([{ type: "tool_use", id: "a", name: "read", input: JSON.parse(json) }]);
    }),
  );
});

const types = [
  "message_start",
  "content_block_start",
  "content_block_delta",
  "content_block_stop",
  "message_delta",
  "message_stop",
  "ping",
  "error",
  "__proto__",
  "constructor",
];
const blocks = ["text", "tool_use", "thinking", "redacted_thinking", "image"];
const anything = fc.oneof(
  fc.jsonValue(),
  fc.record({ type: fc.constantFrom(...blocks, "text_delta", "thinking_delta", "overloaded_error") }),
);
const anyEvent = fc.dictionary(
  fc.constantFrom("index", "content_block", "delta", "message", "usage", "error"),
  fc.oneof(
    anything,
    fc.nat(3),
    fc.dictionary(
      fc.constantFrom(
        "type",
        "text",
        "thinking",
        "signature",
        "data",
        "id",
        "name",
        "input",
        "partial_json",
        "stop_reason",
        "usage",
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "model",
      ),
      fc.oneof(fc.constantFrom(...blocks), fc.jsonValue()),
    ),
  ),
);

it("Whatever a server sends comes to an answer that can be kept, or fails as a model fails.", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...types), anyEvent), { maxLength: 12 }), (events) => {
      try {
        const { content, told } = assembled(events.map(([type, event]) => ({ ...event, type })));
        expect(z.array(answerBlock).safeParse(content).success).toBe(true);
        for (const block of content) if (block.type === "tool_use") expect(block.input).toBeTypeOf("object");
        expect(usage.safeParse(usageOf(told, { input: () => 1, output: () => 1 })).success).toBe(true);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ModelFailed);
      }
    }),
    { numRuns: 500 },
  );
});

it("Whatever a server sends in the place of a message does, too.", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom("type", "content", "usage", "stop_reason", "error", "model"),
        fc.oneof(fc.jsonValue(), fc.array(anything)),
      ),
      (message) => {
        const assembly = openAssembly();
        try {
          assembly.takeWhole(message);
          expect(z.array(answerBlock).safeParse(assembly.end().content).success).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ModelFailed);
        }
      },
    ),
  );
});
