import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { splice } from "../../src/tools/apply-edits.ts";
import { expandBraces } from "../../src/tools/braces.ts";
import { openRun, type Run, sha256 } from "./open-run.ts";

let run: Run;
beforeEach(() => {
  run = openRun({ writes: [{ directories: [""] }] });
});
afterEach(() => run.dispose());

async function said(name: string, input: unknown): Promise<string> {
  const { result } = await run.call(name, input);
  return `${result.is_error ? "ERROR " : ""}${result.content}`;
}

describe("read", () => {
  it("shows lines by number, and the range that was asked for", async () => {
    run.put("a", "\ufeffone\r\ntwo\r\nthree");
    expect(await said("read", { file_path: "a" })).toBe("     1\tone\n     2\ttwo\n     3\tthree");
    expect(await said("read", { file_path: "a", view_range: [2, -1] })).toBe("     2\ttwo\n     3\tthree");
    expect(await said("read", { file_path: "a", view_range: [2, 99] })).toBe("     2\ttwo\n     3\tthree");
    for (const view_range of [
      [0, 1],
      [4, 5],
      [3, 2],
    ]) {
      expect(await said("read", { file_path: "a", view_range })).toMatch(/^ERROR view_range: .* 3 lines$/);
    }
    run.put("empty", "");
    expect(await said("read", { file_path: "empty" })).toBe("(the file is empty)");
  });

  it("shows a page of a long file and says how to go on", async () => {
    run.put("long", "x\n".repeat(5_000));
    const page = await said("read", { file_path: "long" });
    expect(page).toMatch(/\n {2}2000\tx\n\[lines 1-2000 of 5000; read on with view_range \[2001, -1\]\]$/);
    run.put("wide", `${"y".repeat(500)}\n`.repeat(100));
    expect(await said("read", { file_path: "wide" })).toMatch(
      /\[lines 1-\d+ of 100; read on with view_range \[\d+, -1\]\]$/,
    );
    run.put("minified", "😀".repeat(50_000));
    const cut = await said("read", { file_path: "minified" });
    expect(cut).toMatch(/\[this line is cut: \d+ more characters\]$/);
    expect(cut.length).toBeLessThan(30_000);
  });

  it("refuses what is no text, and says what stands there instead", async () => {
    run.put("binary", new Uint8Array([1, 0, 2]));
    run.put("latin", new Uint8Array([0x63, 0xe9]));
    run.put("folder/x", "");
    expect(await said("read", { file_path: "binary" })).toContain("binary");
    expect(await said("read", { file_path: "latin" })).toContain("not valid UTF-8");
    expect(await said("read", { file_path: "folder" })).toContain("Use list");
    expect(await said("read", { file_path: "none" })).toContain("does not exist");
    expect(await said("read", { file_path: "latin/x" })).toContain("latin is a file");
  });
});

describe("edit", () => {
  const edit = (old_string: string, new_string: string, replace_all?: boolean) =>
    said("edit", { file_path: "a", old_string, new_string, ...(replace_all === undefined ? {} : { replace_all }) });

  it("replaces what occurs once, without giving $ a meaning", async () => {
    run.put("a", "let x = 1;\n");
    expect(await edit("1", "$& $1 $$")).toBe("changed a: 1 replacement");
    expect(run.text("a")).toBe("let x = $& $1 $$;\n");
  });

  it("refuses what is absent, not unique, empty or the same", async () => {
    run.put("a", "aaa b b");
    expect(await edit("z", "y")).toContain("not found");
    expect(await edit("b", "c")).toContain("found 2 times");
    expect(await edit("aa", "c")).toContain("found 2 times");
    expect(await edit("", "c")).toContain("empty");
    expect(await edit("b", "b")).toContain("the same");
    expect(run.text("a")).toBe("aaa b b");
    expect(await edit("b", "c", true)).toBe("changed a: 2 replacements");
    expect(run.text("a")).toBe("aaa c c");
  });

  it("keeps CRLF, a BOM and the bytes around", async () => {
    run.put("a", "\ufeffone\r\ntwo\r\nthree");
    await edit("one\ntwo", "1\n2\n2b");
    expect(run.text("a")).toBe("\ufeff1\r\n2\r\n2b\r\nthree");
    await edit("three", "3\n4");
    expect(run.text("a")).toBe("\ufeff1\r\n2\r\n2b\r\n3\r\n4");
    run.put("a", "one\r\ntwo\nthree\n");
    await edit("two\nthree", "2\n3");
    expect(run.text("a")).toBe("one\r\n2\n3\n");
  });
});

describe("write and delete", () => {
  it("refuse clashes with what stands there", async () => {
    run.put("d/x", "");
    expect(await said("write", { file_path: "d", content: "" })).toContain("directory");
    expect(await said("write", { file_path: "d/x/y", content: "" })).toContain("d/x is a file");
    expect(await said("delete", { file_path: "d" })).toContain("directory");
    expect(await said("delete", { file_path: "none" })).toContain("nothing to delete");
    expect(await said("write", { file_path: "n/e/w\n", content: "x" })).toBe("made n/e/w\n: 1 bytes");
  });
});

describe("list and glob", () => {
  it("show what is there, sorted, and say what they leave out", async () => {
    for (const path of ["b/c.ts", "a.ts", ".hidden", "n\nl", "z.tsx", "b/d/e.ts"]) run.put(path, "");
    symlinkSync("b", join(run.root, "link"));
    run.put(".git/config", "");
    writeFileSync(Buffer.concat([Buffer.from(`${run.root}/`), Buffer.from([0xff])]), "");
    const listed = ['.hidden\na.ts\nb/\nlink (symlink)\n"n\\nl"\nz.tsx'];
    const notes = [
      "[1 names are not shown: this run may not read them]",
      "[1 names are not shown: they are not UTF-8]",
    ];
    expect(await said("list", {})).toBe([...listed, ...notes].join("\n"));
    expect(await said("list", { path: "b" })).toBe("b/c.ts\nb/d/");
    expect(await said("list", { path: "a.ts" })).toContain("not a directory");
    const passed = "\n[1 names were passed over: they are not UTF-8]";
    expect(await said("glob", { pattern: "**/*.{ts,tsx}" })).toBe(`a.ts\nb/c.ts\nb/d/e.ts\nz.tsx${passed}`);
    expect(await said("glob", { pattern: "*.ts" })).toBe(`a.ts${passed}`);
    expect(await said("glob", { pattern: "*.ts", path: "b" })).toBe("b/c.ts");
    expect(await said("glob", { pattern: "./b/**" })).toBe(`b/c.ts\nb/d/e.ts${passed}`);
    expect(await said("glob", { pattern: "b" })).toBe(`(no files)${passed}`);
    for (const path of ["node_modules/x/i.ts", "b/node_modules/y.ts"]) run.put(path, "");
    expect(await said("glob", { pattern: "**/*.ts" })).toBe(`a.ts\nb/c.ts\nb/d/e.ts${passed}`);
    expect(await said("glob", { pattern: "**/node_modules/**/*.ts" })).toContain("b/node_modules/y.ts");
    expect(await said("glob", { pattern: "*/i.ts", path: "node_modules" })).toBe("node_modules/x/i.ts");
    for (const pattern of ["../*", "b/", "[", `${"{a,b}".repeat(9)}`]) {
      expect(await said("glob", { pattern })).toMatch(/^ERROR /);
    }
  });

  it("show only what the scope may read, and the way to it", async () => {
    run.dispose();
    run = openRun({ deny: ["Read(secret/**)", "Read(*.pem)"] });
    for (const path of ["secret/a", "src/a.ts", "src/key.pem"]) run.put(path, "");
    expect(await said("glob", { pattern: "**" })).toBe("src/a.ts");
    expect(await said("list", { path: "secret" })).toBe(
      "(nothing)\n[1 names are not shown: this run may not read them]",
    );
    expect(await said("list", { path: "src" })).toContain("src/a.ts\n[1 names");
  });

  it("cut long lists and say so", async () => {
    for (let index = 0; index < 1_100; index++) run.put(`many/file-${index}`, "");
    const listed = await said("list", { path: "many" });
    expect(listed.split("\n")).toHaveLength(1_001);
    expect(listed).toContain("[100 more names are not shown");
    expect(await said("glob", { pattern: "**" })).toContain("not complete");
  });
});

describe("apply_edits", () => {
  const fileOf = (file_path: string, content: string, edits: unknown[]) => {
    run.put(file_path, content);
    return { file_path, expect_sha256: sha256(content), edits };
  };

  it("changes many files by bytes, all of them", async () => {
    const files = Array.from({ length: 120 }, (_, index) =>
      fileOf(`d${index % 9}/f${index}`, `é${index};\r\n`, [
        { start: 2, end: 2, text: "ü" },
        { start: 0, end: 2, text: "" },
      ]),
    );
    const { fact, result } = await run.call("apply_edits", { files });
    expect(result.content).toBe("240 edits in 120 files");
    expect(fact.data).toMatchObject({ changed: expect.any(Array) });
    for (const [index, { file_path }] of files.entries()) expect(run.text(file_path)).toBe(`ü${index};\r\n`);
  });

  it("changes nothing when one file is not as expected", async () => {
    const good = fileOf("good", "abc", [{ start: 0, end: 1, text: "x" }]);
    const stale = { ...fileOf("stale", "abc", []), expect_sha256: sha256("other") };
    const answer = await said("apply_edits", { files: [good, stale, { ...good, file_path: "none" }] });
    expect(answer).toMatch(
      /^ERROR nothing was changed: 2 of 3 files cannot be edited\n- stale .*\n- "none" does not exist/,
    );
    expect(run.text("good")).toBe("abc");
    expect(await said("apply_edits", { files: [good, good] })).toContain("named twice");
    expect(readdirSync(run.scratch)).toEqual([]);
  });

  it("refuses ranges that overlap, end early, reach past the end or cut a character", () => {
    const bytes = new TextEncoder().encode("aé");
    const at = (start: number, end: number) => ({ start, end, text: "" });
    for (const edits of [[at(0, 3), at(1, 3)], [at(3, 1)], [at(0, 4)], [at(2, 3)]]) {
      expect(splice(bytes, edits)).toEqual({ refused: expect.any(String) });
    }
  });

  it("gives exactly the bytes that applying the edits from the back gives", () => {
    const cut = fc.tuple(fc.nat(40), fc.nat(40), fc.string({ maxLength: 5, unit: "grapheme" }));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.array(cut, { maxLength: 5 }), (bytes, cuts) => {
        const edits = cuts.map(([one, other, text]) => ({
          start: Math.min(one, other),
          end: Math.max(one, other),
          text,
        }));
        const spliced = splice(bytes, edits);
        if ("refused" in spliced) return;
        let expected = Buffer.from(bytes);
        const backwards = edits.toSorted((one, other) => one.start - other.start || one.end - other.end).toReversed();
        for (const { start, end, text } of backwards) {
          expected = Buffer.concat([expected.subarray(0, start), Buffer.from(text), expected.subarray(end)]);
        }
        expect(Buffer.from(spliced.bytes)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("submit", () => {
  it("hands back what was said", async () => {
    const claim = { summary: "done", leftovers: [{ path: "a", line: 1, column: 2, text: "x", reason: "y" }] };
    expect((await run.call("submit", claim)).submission).toEqual(claim);
  });
});

describe("braces", () => {
  it("stand for their alternatives, nested ones too, and for themselves otherwise", () => {
    expect(expandBraces("a{b,c{d,e}}f")).toEqual(["abf", "acdf", "acef"]);
    expect(expandBraces("{a,}x")).toEqual(["ax", "x"]);
    for (const plain of ["{a}", "a{b", "a,b", "\\{a,b}", "}{"]) expect(expandBraces(plain)).toEqual([plain]);
    expect(expandBraces("{a,b}".repeat(20))).toBeUndefined();
  });
});
