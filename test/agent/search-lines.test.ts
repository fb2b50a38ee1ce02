import { expect, test } from "vitest";
import { answerInLines } from "../../src/agent/search-lines.ts";
import type { SearchReport, TextQuery } from "../../src/protocol/search.ts";
import { compileLineSearch } from "../../src/rewrite/line-search.ts";

const query: TextQuery = {
  kind: "text",
  pattern: "a",
  is_case_insensitive: false,
  is_multiline: false,
  mode: "content",
  before: 0,
  after: 0,
  has_numbers: true,
  offset: 0,
  limit: Number.MAX_SAFE_INTEGER,
};

function search(over: Partial<TextQuery>, text: string): Partial<SearchReport> {
  const searcher = answerInLines({ ...query, ...over });
  if ("mistake" in searcher) throw new Error(searcher.mistake.message);
  void searcher.look("a.txt", Buffer.from(text));
  return searcher.answer();
}

test("a search without a limit finds no more places than an answer has room for, and says where to go on", () => {
  const many = "a\n".repeat(1_000_000);
  const first = search({}, many);
  expect(first.lines?.length).toBeLessThan(28_000);
  expect(first.next_offset).toBe(first.lines?.length);
  expect(search({ offset: 999_999 }, many)).toEqual({ lines: ["a.txt:1000000:a"] });
});

test("counting keeps a number alone, of lines and not of matches", () => {
  expect(search({ mode: "count" }, "a\n".repeat(1_000_000)).lines).toEqual(["a.txt:1000000"]);
  expect(search({ mode: "count" }, "aaa\nb\na").lines).toEqual(["a.txt:2"]);
  expect(search({ mode: "count", pattern: "a.b", is_multiline: true }, "a\nb a\nb\n").lines).toEqual(["a.txt:3"]);
  expect(search({ mode: "count" }, "b\n").lines).toEqual([]);
  const compiled = compileLineSearch({ pattern: "a", is_case_insensitive: false, is_multiline: true });
  if ("mistake" in compiled) throw new Error(compiled.mistake.message);
  expect(compiled.find("aaaa", 2)).toHaveLength(2);
});
