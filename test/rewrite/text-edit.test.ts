import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyTextEdits, toTextEdits } from "../../src/rewrite/text-edit.ts";

describe("text edits", () => {
  it("refuse to overlap or to leave the file", () => {
    const bytes = Buffer.from("abcdef");
    const edit = (start: number, end: number) => ({ start, end, text: "x" });
    expect(() => applyTextEdits(bytes, [edit(0, 3), edit(2, 4)])).toThrow("overlaps");
    expect(() => applyTextEdits(bytes, [edit(0, 7)])).toThrow("outside a file of 6 bytes");
    for (const wrong of [edit(-1, 2), edit(3, 2), edit(0.5, 2), edit(0, Number.NaN)]) {
      expect(() => applyTextEdits(bytes, [wrong])).toThrow(RangeError);
    }
    expect(Buffer.from(applyTextEdits(bytes, [edit(4, 6), edit(0, 1), edit(1, 1)])).toString()).toBe("xxbcdx");
  });

  it("counted in UTF-16 say the same in bytes, for any text", () => {
    const pieces = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), fc.boolean()));
    fc.assert(
      fc.property(pieces, (all) => {
        const text = all.map(([before]) => before).join("");
        const wanted = all.map(([before, after, isChanged]) => (isChanged ? after : before)).join("");
        let at = 0;
        const splices = all.flatMap(([before, after, isChanged]) => {
          const start = at;
          at += before.length;
          return isChanged ? [{ start, end: at, text: after }] : [];
        });
        const edits = toTextEdits({ text, isAscii: false }, splices);
        expect(Buffer.from(applyTextEdits(Buffer.from(text), edits)).toString()).toBe(wanted);
      }),
    );
  });
});
