import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../src/protocol/failure.ts";
import { compileReplaceCall } from "../../src/rewrite/replace-call.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";
import { byCommand, byRecipe, type Files, someSources, texts } from "./oracle.ts";

function replace(pattern: string, fix: string, language?: "JavaScript" | "TypeScript" | "Tsx") {
  return compileReplaceCall({ name: "replace-call", pattern, fix, ...(language ? { language } : {}) });
}

function run(source: string, pattern: string, fix: string, path = "a.js") {
  const bytes = Buffer.from(source);
  const { edits, leftovers, skipped } = replace(pattern, fix).rewrite({ path, bytes });
  return { text: Buffer.from(applyTextEdits(bytes, edits)).toString("utf8"), edits, leftovers, skipped };
}

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

function expectSame(files: Files, pattern: string, fix: string): void {
  const commanded = texts(byCommand(files, ["run", "-p", pattern, "-r", fix, "-U"]));
  expect(commanded).not.toEqual(texts(files));
  expect(texts(byRecipe(files, replace(pattern, fix)))).toEqual(commanded);
}

describe("replace-call agrees with the ast-grep command", () => {
  it.each([
    ["require($A)", "load($A)"],
    ["$A.push($$$B)", "append(\n  $A,\n  $$$B\n)"],
    ["const $A = $B", "let $A = $B"],
    ["return $A", "return wrap(\n    $A,\n)"],
    ["if ($A) { $$$B }", "when($A, () => {\n\t$$$B\n})"],
    ["function $F($$$A) { $$$B }", "const $F = ($$$A) => {\n  $$$B\n}"],
    ["throw $A;", "fail($A); // $$$ $1 $lower"],
    ["import $A from $B", "import $$A /* one */ from $B"],
  ])("on published sources for `%s` -> `%s`", (pattern, fix) => {
    expectSame(someSources(pattern.length), pattern, fix);
  });

  it("on generated code with any nesting, indentation, line ending and alphabet", () => {
    const space = fc.constantFrom(
      "",
      " ",
      "\n",
      "\r\n",
      "\n  ",
      "\n    ",
      "\n\t",
      "\n \t ",
      " /* \u{1F600} */ ",
      "\r\n      ",
    );
    const leaf = fc.constantFrom(
      "a",
      "1",
      "'\u00e9'",
      "`x\n    y`",
      "{ b: 1,\n      c }",
      '"\u4e16\u{1F600}"',
      "...rest",
    );
    const { call } = fc.letrec<{ call: string; argument: string }>((tie) => ({
      argument: fc.oneof({ maxDepth: 3 }, leaf, tie("call")),
      call: fc
        .tuple(
          fc.constantFrom("foo", "bar", "obj.foo"),
          fc.array(fc.tuple(space, tie("argument"), space), { maxLength: 4 }),
        )
        .map(([name, parts]) => `${name}(${parts.map((part) => part.join("")).join(",")})`),
    }));
    const file = fc
      .tuple(
        fc.constantFrom("", "\uFEFF", "#!/usr/bin/env node\n"),
        fc.array(fc.tuple(space, call, fc.constantFrom(";", "\n", ";\r\n"))),
      )
      .map(([head, lines]) => Buffer.from(head + lines.map((line) => line.join("")).join("\n")));
    const files = new Map(fc.sample(file, { numRuns: 100, seed: 20 }).map((bytes, index) => [`${index}.js`, bytes]));
    expectSame(files, "foo($$$A)", "baz(\n  one,\n    $$$A\n)");
    expectSame(files, "foo($A, $$$B)", "$A.foo(\n\n \t$$$B, $A)");
  });
});

describe("replace-call", () => {
  it("keeps a byte order mark, carriage returns and a missing last newline, and counts bytes", () => {
    const { text, edits } = run("\uFEFF// \u00e9\u{1F600}\r\nfoo('\u4e16');\r\nrest()", "foo($A)", "bar($A)");
    expect(text).toBe("\uFEFF// \u00e9\u{1F600}\r\nbar('\u4e16');\r\nrest()");
    expect(edits[0]?.start).toBe(Buffer.byteLength("\uFEFF// \u00e9\u{1F600}\r\n"));
  });

  it("replaces the outer of nested matches and lists the inner ones for another run", () => {
    const { text, leftovers } = run("foo(foo(1), 2);\nfoo(3);\n", "foo($$$A)", "bar($$$A)");
    expect(text).toBe("bar(foo(1), 2);\nbar(3);\n");
    expect(leftovers).toEqual([
      { path: "a.js", line: 1, column: 5, text: "foo(1)", reason: "inside another match; run again" },
    ]);
  });

  it("answers a match whose fix says the same with no edit", () => {
    expect(run("foo(1)", "foo($A)", "foo($A)")).toMatchObject({ edits: [], leftovers: [] });
  });

  it.each([
    ["foo(((", "b", "syntax error at line 1, column 1"],
    ["if ($A) {", "b", "`}` is missing"],
    ['"fs": $A', "b", "syntax error at line 1"],
    ["import $A from", "b", "syntax error at line 1"],
    ["", "b", "the pattern is empty"],
    ["a; b", "c", "Multiple AST nodes"],
  ])("refuses the pattern `%s`, saying why", (pattern, fix, reason) => {
    const fault = faultOf(() => replace(pattern, fix));
    expect(fault).toMatchObject({ code: "rule" });
    expect(fault.message).toContain(reason);
    expect(fault.remedy).toBeDefined();
  });

  it.each([
    ["foo($A)", "bar($B)", "$B"],
    ["foo($A)", "bar($$$A)", "$$$A"],
    ["foo($$$A)", "bar($A)", "$A"],
    ["foo($_)", "bar($_)", "$_"],
    ["foo($_X)", "bar($_X)", "$_X"],
  ])("refuses that `%s` -> `%s` uses %s unbound", (pattern, fix, name) => {
    const fault = faultOf(() => replace(pattern, fix));
    expect(fault.message).toContain(`uses ${name}, which the pattern does not bind`);
    expect(fault.remedy).toContain(pattern);
  });

  it("uses a pattern in every language that can read it, and only in those", () => {
    const typed = replace("$A as any", "$A");
    expect(["a.ts", "a.d.ts", "a.mts", "a.cts", "a.tsx"].every((path) => typed.covers(path))).toBe(true);
    expect(["a.js", "a.json", "a", "ts", "a.TS.map"].some((path) => typed.covers(path))).toBe(false);
    expect(typed.rewrite({ path: "a.js", bytes: Buffer.from("x") }).skipped).toBe("language not covered");
    const narrow = replace("foo($A)", "bar($A)", "Tsx");
    expect([narrow.covers("a.tsx"), narrow.covers("a.ts")]).toEqual([true, false]);
    const jsx = run("const x = <A on={foo(1)}/>;", "foo($A)", "bar($A)", "a.jsx");
    expect(jsx.text).toBe("const x = <A on={bar(1)}/>;");
  });

  it("leaves matches beside a syntax error alone and names the first error", () => {
    const { text, leftovers } = run("foo(1);\nx = ] foo(2);\n\nfine();\nfoo(3);\n", "foo($A)", "bar($A)");
    expect(text).toBe("bar(1);\nx = ] foo(2);\n\nfine();\nbar(3);\n");
    expect(leftovers.map(({ line, reason }) => [line, reason])).toEqual([
      [2, "syntax error in the JavaScript grammar; matches here may be missed"],
      [2, "next to a syntax error, so what it means is not certain"],
    ]);
  });

  it.each([
    ["bytes that are not UTF-8", Buffer.from([0x66, 0x6f, 0x6f, 0xff]), "not valid UTF-8"],
    ["a NUL byte", Buffer.from("foo(1)\0"), "not text: it holds a NUL byte"],
    ["UTF-16", Buffer.from("\uFEFFfoo(1)", "utf16le"), "not text: it holds a NUL byte"],
    ["more than 4 MiB", Buffer.alloc(4 * 1024 * 1024 + 1, "a"), "too large: 4194305 bytes, most is 4194304"],
  ])("skips a file of %s", (_, bytes, reason) => {
    expect(replace("foo($A)", "bar($A)").rewrite({ path: "a.js", bytes })).toEqual({
      edits: [],
      leftovers: [],
      skipped: reason,
    });
  });

  it("survives code nested deeper than any stack", () => {
    const depth = 50_000;
    const source = `${"[".repeat(depth)}foo(1)${"]".repeat(depth)}`;
    expect(run(source, "foo($A)", "bar($A)").text).toContain("[bar(1)]");
  });
});
