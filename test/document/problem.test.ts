import fc from "fast-check";
import { expect, it } from "vitest";
import { lineAndColumn, linesAndColumns } from "../../src/document/problem.ts";

it("a place is the same whether one is asked for or many", () => {
  const text = fc.array(fc.constantFrom("a", "\n", "\r\n", "ä", "😀")).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 30 }), (source, offset) => {
      expect(linesAndColumns(source)(offset)).toBe(lineAndColumn(source, offset));
    }),
  );
  expect(linesAndColumns("ab\nc")(3)).toBe("2:1");
});
