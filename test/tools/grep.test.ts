import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { compileLineSearch } from "../../src/rewrite/line-search.ts";
import { type Grant, openRun, type Run } from "./open-run.ts";

const runs: Run[] = [];
afterEach(() => {
  for (const run of runs.splice(0)) run.dispose();
});

function open(
  files: Readonly<Record<string, string | Uint8Array>>,
  grant: Grant = { writes: [{ directories: [""] }] },
) {
  const run = openRun(grant);
  runs.push(run);
  for (const [path, content] of Object.entries(files)) run.put(path, content);
  return async (input: Record<string, unknown>) => {
    const { result } = await run.call("grep", input);
    return `${result.is_error ? "ERROR " : ""}${result.content}`;
  };
}

describe("grep", () => {
  it("shows paths, lines or counts", async () => {
    const grep = open({ "a.ts": "one\r\ntwo\r\none two\r\n", "b/c.js": "two", "b/.d": "nothing", "e.ts": "" });
    expect(await grep({ pattern: "two" })).toBe("a.ts\nb/c.js");
    expect(await grep({ pattern: "two$", output_mode: "content" })).toBe("a.ts:2:two\na.ts:3:one two\nb/c.js:1:two");
    expect(await grep({ pattern: "TWO", "-i": true, "-n": false, output_mode: "content", path: "b" })).toBe(
      "b/c.js:two",
    );
    expect(await grep({ pattern: "(?i)ONE", output_mode: "count" })).toBe("a.ts:2");
    expect(await grep({ pattern: "nothing" })).toBe("b/.d");
    expect(await grep({ pattern: "three" })).toBe("(no matches in 4 files)");
    expect(await grep({ pattern: "one", path: "a.ts" })).toBe("a.ts");
    expect(await grep({ pattern: "^$", path: "e.ts" })).toBe("(no matches in 1 files)");
  });

  it("shows what surrounds a match, once, with a mark between stretches", async () => {
    const grep = open({ a: "1\n2 x\n3 x\n4\n5\n6\n7\n8 x\n", b: "x\n" });
    const content = (more: object) => grep({ pattern: "x", output_mode: "content", ...more });
    expect(await content({ "-C": 1, path: "a" })).toBe("a-1-1\na:2:2 x\na:3:3 x\na-4-4\n--\na-7-7\na:8:8 x");
    expect(await content({ "-A": 1, "-n": false })).toBe("a:2 x\na:3 x\na-4\n--\na:8 x\n--\nb:x");
    expect(await content({ context: 1, "-B": 0, path: "b" })).toBe("b:1:x");
  });

  it("takes files by glob and by type", async () => {
    const files = {
      "a.ts": "x",
      "src/b.ts": "x",
      "src/deep/c.tsx": "x",
      "src/deep/d.py": "x",
      "node_modules/e/f.ts": "x",
    };
    const grep = open(files);
    expect(await grep({ pattern: "x", glob: "*.{ts,tsx}" })).toBe("a.ts\nsrc/b.ts\nsrc/deep/c.tsx");
    expect(await grep({ pattern: "x", glob: "src/*.ts" })).toBe("src/b.ts");
    expect(await grep({ pattern: "x", glob: "src/**/*.ts", path: "src" })).toBe("src/b.ts");
    expect(await grep({ pattern: "x", glob: "deep/*", path: "src" })).toBe("src/deep/c.tsx\nsrc/deep/d.py");
    expect(await grep({ pattern: "x", type: "py" })).toBe("src/deep/d.py");
    expect(await grep({ pattern: "x", path: "node_modules" })).toBe("node_modules/e/f.ts");
    expect(await grep({ pattern: "x", glob: "!*.ts" })).toMatch(/^ERROR glob: .*leaves files out/);
    expect(await grep({ pattern: "x", glob: "src/" })).toMatch(/^ERROR glob: .*set path/);
    expect(await grep({ pattern: "x", path: "none" })).toBe('ERROR "none" does not exist');
  });

  it("cuts its answer and says how to go on", async () => {
    const grep = open({ a: "x\n".repeat(600), b: `${"-".repeat(2_000)}needle${"-".repeat(2_000)}\n`, "c\nd": "q\n" });
    const content = (more: object) => grep({ pattern: "x", output_mode: "content", ...more });
    const first = await content({});
    expect(first).toContain("\na:250:x\n[there is more: set offset to 250, or narrow the search]");
    expect(await content({ offset: 250, head_limit: 1 })).toBe(
      "a:251:x\n[there is more: set offset to 251, or narrow the search]",
    );
    expect(await content({ offset: 599 })).toBe("a:600:x");
    expect(await content({ offset: 600 })).toBe("(nothing after the first 600 lines)");
    expect((await content({ head_limit: 0 })).split("\n")).toHaveLength(600);
    const long = await content({ pattern: "needle" });
    expect(long).toMatch(/^b:1:….*needle.*… \[a line of 4006 characters\]$/);
    expect(long.length).toBeLessThan(600);
    expect(await grep({ pattern: "q" })).toBe('"c\\nd"');
    const wide = open({ w: `${"y".repeat(450)}\n`.repeat(500) });
    const page = await wide({ pattern: "y", output_mode: "content", head_limit: 0 });
    const [, next = ""] = /set offset to (\d+)/.exec(page) ?? [];
    expect(page.length).toBeLessThan(30_000);
    expect(await wide({ pattern: "y", output_mode: "content", offset: Number(next), head_limit: 1 })).toContain(
      `w:${Number(next) + 1}:y`,
    );
  });

  it("finds over lines only where it is asked to", async () => {
    const grep = open({ a: "begin\n  middle\nend\n" });
    const content = (more: object) => grep({ output_mode: "content", ...more });
    expect(await content({ pattern: "begin\\s+middle" })).toContain("no matches");
    expect(await content({ pattern: "begin.*end", multiline: true })).toBe("a:1:begin\na:2:  middle\na:3:end");
    expect(await grep({ pattern: "begin.*end", multiline: true, output_mode: "count" })).toBe("a:3");
    expect(await content({ pattern: "begin\\n" })).toMatch(/^ERROR .*set multiline/);
    expect(await content({ pattern: "[^\\n]ddle" })).toBe("a:2:  middle");
  });

  it("says what is wrong with a pattern, and takes what other dialects write", async () => {
    const grep = open({ a: "foo-bar{}(x)\n" });
    expect(await grep({ pattern: "(" })).toMatch(/^ERROR the pattern cannot be read: .*Unterminated group/);
    expect(await grep({ pattern: "[[:space:]]" })).toMatch(/^ERROR .*POSIX.*\\s/);
    expect(await grep({ pattern: "\\Afoo" })).toMatch(/^ERROR .*\\A/);
    expect(await grep({ pattern: "foo\\-bar{}\\(" })).toBe("a");
    expect(await grep({ pattern: "\\p{Ll}oo" })).toBe("a");
    expect(await grep({ pattern: "x", "-o": true })).toMatch(/^ERROR invalid input for grep: .*-o/);
    expect(await grep({ pattern: "x", output_mode: "context" })).toMatch(/^ERROR invalid input for grep: output_mode/);
  });

  it("neither searches nor names what may not be read, and leaves the repository by no way", async () => {
    const run = openRun({ writes: [{ directories: [""] }], deny: ["Read(/secret/**)", "Read(**/*.key)"] });
    runs.push(run);
    run.put("a", "token\n");
    run.put("b.key", "token\n");
    run.put("secret/c", "token\n");
    writeFileSync(join(run.home, "outside"), "token\n");
    symlinkSync(join(run.home, "outside"), join(run.root, "link"));
    symlinkSync(run.home, join(run.root, "up"));
    mkdirSync(join(run.root, "inner"));
    symlinkSync("../secret", join(run.root, "inner/way"));
    const grep = async (input: object) => (await run.call("grep", { pattern: "token", ...input })).result.content;
    expect(await grep({})).toBe("a\n[files that this run may not read were not searched]");
    expect(await grep({ path: "secret/c" })).toMatch(/^Denied/);
    expect(await grep({ path: "b.key" })).toMatch(/^Denied/);
    expect(await grep({ path: "inner/way" })).toMatch(/^\(no matches in 0 files\)/);
    expect(await grep({ path: "inner/way/c" })).toMatch(/^Denied/);
    for (const path of ["link", "up", "..", "/etc/passwd"]) expect(await grep({ path })).toMatch(/^Denied/);
  });

  it("passes over binary files and reads others as far as it can", async () => {
    const grep = open({ bin: new Uint8Array([120, 0]), latin: new Uint8Array([0xe9, 0x78]), bom: "\ufeffx" });
    expect(await grep({ pattern: "^x", output_mode: "content" })).toBe("bom:1:x");
    expect(await grep({ pattern: "x" })).toBe("bom\nlatin");
    expect(await grep({ pattern: "y" })).toBe("(no matches in 2 files)\n[1 binary files were not searched]");
  });
});

it("the whole text is asked first only where that changes nothing", () => {
  const parts = [
    "a",
    "b",
    ".",
    "x*",
    "^",
    "$",
    "\\b",
    "\\B",
    "(a|b)",
    "[ab]+",
    "\\s",
    "[^a]",
    "(?=b)",
    "(?!\\s)",
    "(?<=a)",
    "\\d?",
  ];
  const pattern = fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 5 }).map((each) => each.join(""));
  const text = fc.string({ unit: fc.constantFrom("a", "b", "x", " ", "\n", "\r\n", "1"), maxLength: 20 });
  fc.assert(
    fc.property(pattern, text, (source, all) => {
      const search = compileLineSearch({ pattern: source, is_case_insensitive: false, is_multiline: false });
      if ("mistake" in search) return;
      const lines = all === "" ? [] : all.replace(/\n$/, "").split("\n");
      const expected = lines.flatMap((line, index) =>
        new RegExp(source, "mu").test(line.replace(/\r$/, "")) ? [index] : [],
      );
      expect(search.find(all, 100).map(({ first }) => first)).toEqual(expected);
    }),
    { numRuns: 2_000 },
  );
});
