import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scanTree } from "../../src/coordinator/plan/scan-tree.ts";
import type { ScanQuery } from "../../src/protocol/scan.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ lookMs: 1_500 });
});
afterAll(() => bench[Symbol.asyncDispose]());

const hostile = `${"a".repeat(60)}!`;

async function scan(
  files: Readonly<Record<string, string>>,
  query: ScanQuery,
  options: { covers?: (path: string) => boolean; signal?: AbortSignal } = {},
) {
  const { covers = () => true, signal = new AbortController().signal } = options;
  const { repository, spec } = await bench.repository(files);
  return scanTree({ tree: spec.base.tree, query, covers }, { repository, signal, equipment: bench.equipment });
}

describe("a look through a tree", () => {
  it("finds every place of an expression, in the files it covers, and counts the rest", async () => {
    const files = {
      "a.js": "import moment from 'moment';\r\n\r\nuse(moment)\n",
      "b/ä.js": "\uFEFFmoment\n",
      "c.txt": "moment\n",
      "d.bin": "moment\0",
      "none.js": "",
    };
    const covers = (path: string) => path !== "c.txt";
    const report = await scan(files, { regex: "^moment|'moment'", places: 5 }, { covers });
    expect(report).toEqual({
      looked: 3,
      found: [
        { path: "a.js", count: 1, places: [{ line: 1, column: 20, text: "import moment from 'moment';" }] },
        { path: "b/ä.js", count: 1, places: [{ line: 1, column: 1, text: "moment" }] },
      ],
      skipped: [{ path: "d.bin", reason: "binary", is_binary: true }],
    });
  });

  it("asks a pattern of the files whose language can have it", async () => {
    const files = { "a.ts": "foo(1)\nfoo(2)\n", "b.md": "foo(3)\n", "c.jsx": "// foo(4)\n", "d.cjs": "x = foo(5)" };
    const found = async (query: ScanQuery) => (await scan(files, query)).found.map(({ path, count }) => [path, count]);
    expect(await found({ pattern: "foo($A)", places: 9 })).toEqual([
      ["a.ts", 2],
      ["d.cjs", 1],
    ]);
    expect(await found({ pattern: "foo($A)", language: "JavaScript", places: 0 })).toEqual([["d.cjs", 1]]);
    expect(await found({ pattern: "foo($A)", language: "JavaScript", takes_unnamed: true, places: 0 })).toEqual([
      ["b.md", 1],
      ["d.cjs", 1],
    ]);
    expect(await found({ pattern: "foo($A)", regex: "x", places: 0 })).toEqual([["d.cjs", 1]]);
  });

  it("reads the languages whose packages are installed", async () => {
    const files = { "a.py": "def f():\n    foo(1)\n", "b.go": "package b\nfunc f() { foo(1) }\n", "c.js": "bar(1)\n" };
    const report = await scan(files, { pattern: "foo($A)", language: "Python", places: 1 });
    expect(report.found).toEqual([{ path: "a.py", count: 1, places: [{ line: 2, column: 5, text: "foo(1)" }] }]);
    const all = await scan(files, { pattern: "foo($A)", places: 0 });
    expect(all.found.map((one) => one.path)).toEqual(["a.py", "b.go"]);
  });

  it("ends an expression that does not come back, names it and the file, and goes on working", async () => {
    const files = { "a.js": "fine", "b.js": hostile, "c.js": "fine" };
    const report = await scan(files, { regex: "^(a+)+$", places: 1 });
    expect(report.mistake).toMatchObject({ code: "job_file" });
    expect(report.mistake?.message).toContain("/^(a+)+$/mu");
    expect(report.mistake?.message).toContain('"b.js"');
    expect((await scan(files, { regex: "fine", places: 1 })).found).toHaveLength(2);
  });

  it("says what is wrong with an expression or a pattern that cannot be read", async () => {
    const files = { "a.js": "x" };
    expect((await scan(files, { regex: "(", places: 1 })).mistake?.message).toMatch(/cannot be read/);
    expect((await scan(files, { pattern: "foo(", places: 1 })).mistake?.message).toMatch(/does not compile/);
  });

  it("stops when nobody wants it any more", async () => {
    const stop = new AbortController();
    const looking = scan({ "b.js": hostile }, { regex: "^(a+)+$", places: 1 }, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("stopped")), 50);
    await expect(looking).rejects.toThrow("stopped");
  });
});
