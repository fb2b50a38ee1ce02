import { expect, it } from "vitest";
import { factRows, UnfitFact } from "../../src/db/fact-rows.ts";
import type { Fact } from "../../src/protocol/event.ts";

const clock = { now: () => 1, random: (count: number) => new Uint8Array(count) };
const saying = (content: unknown) =>
  ({ type: "tool.finished", data: { call_id: "a", tool: "read", is_error: false, content } }) as Fact;

function nested(depth: number): unknown {
  let value: unknown = "[[[{{{";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { "]}\\": value };
  return value;
}

it("A text of many megabytes is kept, whatever brackets and quotes it holds.", () => {
  for (const piece of ["y", "[", '"', "\\", '\\"[']) {
    const [row] = factRows([saying(piece.repeat(3_000_000))], clock);
    expect(row?.data.length).toBeGreaterThan(3_000_000);
  }
});

it("What is nested deeper than the database can read is an UnfitFact, and what is not is kept.", () => {
  expect(factRows([saying(nested(500))], clock)).toHaveLength(1);
  for (const depth of [600, 5_000, 50_000]) expect(() => factRows([saying(nested(depth))], clock)).toThrow(UnfitFact);
});
