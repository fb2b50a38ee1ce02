import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/model/json.ts";
import { addInput, closeToolUse, nameCalls, openToolUse } from "../../src/model/tool-use.ts";

function closed(start: unknown, ...pieces: unknown[]) {
  const open = openToolUse({ id: "a", name: "read", input: start });
  for (const piece of pieces) addInput(open, piece);
  const { input, malformed } = closeToolUse(open, false);
  return malformed === undefined ? input : malformed;
}

const inner = (depth: number) => `{"file_path":${"[".repeat(depth)}${"]".repeat(depth)}}`;

describe("the input of a call", () => {
  it("that is nested deeper than any tool takes is none, however deep it is and in whichever form it comes", () => {
    for (const depth of [100, 700, 4_000, 20_000, 200_000]) {
      expect(closed({}, inner(depth))).toMatch(/deeper than 100/);
      expect(closed(parseJson(inner(depth)))).toMatch(/deeper than 100/);
    }
    expect(closed({}, inner(99))).toEqual(JSON.parse(inner(99)));
  });

  it("may come once more, as far as it is with every piece, or as JSON in JSON", () => {
    const whole = '{"file_path":"a"}';
    const input = JSON.parse(whole);
    expect(closed({}, whole, whole)).toEqual(input);
    expect(closed({}, '{"file', '{"file_path":', whole)).toEqual(input);
    expect(closed(input, whole)).toEqual(input);
    expect(closed(input, "{}")).toEqual(input);
    expect(closed({}, JSON.stringify(whole))).toEqual(input);
    expect(closed({}, whole, '{"file_path":"b"}')).toBe('{"file_path":"a"}{"file_path":"b"}');
  });
});

it("An id that could not be sent back, or that is a word of the language, is replaced.", () => {
  const ids = ["__proto__", "toString", "a b", "id\u0000", "x".repeat(201), "", "toolu_1-a"];
  const calls = ids.map((id) => ({ type: "tool_use" as const, id, name: "read", input: {} }));
  expect(nameCalls(calls, 3, new Set()).map(({ id }) => id)).toEqual([
    ...["call_3_1", "call_3_2", "call_3_3", "call_3_4", "call_3_5", "call_3_6"],
    "toolu_1-a",
  ]);
});
