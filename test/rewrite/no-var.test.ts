import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";
import { publishedSources, someSources } from "./oracle.ts";
import { programs, runProgram } from "./program-arbitrary.ts";

const recipe = await compileRecipe({ name: "no-var" });
await recipe.prepare?.();

function run(source: string, path = "a.cjs") {
  const bytes = Buffer.from(source);
  const { edits, leftovers, skipped } = recipe.rewrite({ path, bytes });
  return { text: Buffer.from(applyTextEdits(bytes, edits)).toString("utf8"), leftovers, skipped };
}

function reasons(source: string, path?: string): string[] {
  return run(source, path).leftovers.map(({ line, reason }) => `${line} ${reason}`);
}

describe("no-var changes what nobody can tell apart", () => {
  it.each([
    ["old numbers", "var a = 017 + 08 + '\\1';", "const a = 017 + 08 + '\\1';"],
    ["a value that never changes", "var a = 1; use(a);", "const a = 1; use(a);"],
    ["one that does", "var a = 1; a++;", "let a = 1; a++;"],
    ["one that comes later", "var a; a = 1;", "let a; a = 1;"],
    ["by a pattern", "var a = 1; [{ x: a = 2 }] = b; for (a of c);", "let a = 1; [{ x: a = 2 }] = b; for (a of c);"],
    ["several at once", "var a = 1, b = a;", "const a = 1, b = a;"],
    ["several, of which one changes", "var a = 1, b = a; b = 2;", "let a = 1, b = a; b = 2;"],
    ["patterns", "var { a, b = a, ...c } = d, [e] = f;", "const { a, b = a, ...c } = d, [e] = f;"],
    ["a block of its own", "if (x) { var a = 1; use(a); }", "if (x) { const a = 1; use(a); }"],
    [
      "heads of loops",
      "for (var i = 0, n; i < 3; i++) use(i); for (var k in o) use(k);",
      "for (let i = 0, n; i < 3; i++) use(i); for (const k in o) use(k);",
    ],
    [
      "the same name in two loops",
      "for (var i = 0; i < 1; i++); for (var i of x) use(i);",
      "for (let i = 0; i < 1; i++); for (const i of x) use(i);",
    ],
    ["a loop that begins anew", "while (x) { var a = f(); use(a); }", "while (x) { const a = f(); use(a); }"],
    ["a function made after it", "var a = 1; use(() => a);", "const a = 1; use(() => a);"],
    [
      "a function that is called after it",
      "var a = 1; f(); function f() { g(); } function g() { return a; }",
      "const a = 1; f(); function f() { g(); } function g() { return a; }",
    ],
    [
      "a function that holds itself",
      "var f = module.exports = { g: function () { return f; } };",
      "const f = module.exports = { g: function () { return f; } };",
    ],
    [
      "inside of functions of a script",
      "function f() { var a = 1; return a; }",
      "function f() { const a = 1; return a; }",
    ],
    ["class bodies", "class A { static { var a = 1; use(a); } }", "class A { static { const a = 1; use(a); } }"],
  ])("%s", (_, source, expected) => {
    expect(run(`require("x");\n${source}`)).toEqual({
      text: `require("x");\n${expected}`,
      leftovers: [],
      skipped: undefined,
    });
  });

  it("in every kind of file that holds code, and byte for byte", () => {
    expect(run("export var a = 1;", "a.mjs").text).toBe("export const a = 1;");
    expect(run("export {};\r\nvar a: number = 1; enum E { A = a }\r\n", "a.ts").text).toBe(
      "export {};\r\nconst a: number = 1; enum E { A = a }\r\n",
    );
    expect(run("import x from 'x';\nvar a = <b>{x}</b>", "a.tsx").text).toBe(
      "import x from 'x';\nconst a = <b>{x}</b>",
    );
    expect(run("\uFEFF#!/usr/bin/env node\r\nvar \u00e9 = '\u{1F600}'; /* var */ use(\u00e9)", "a.js").text).toBe(
      "\uFEFF#!/usr/bin/env node\r\nconst \u00e9 = '\u{1F600}'; /* var */ use(\u00e9)",
    );
    expect(["a.js", "a.d.ts", "a.css", "a.tsx", "a.d.css.ts"].map(recipe.covers)).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe("no-var leaves", () => {
  it.each([
    ["a use before it", "use(a); var a = 1;", "a: it is used before it is declared (line 1)"],
    ["a use of itself", "var a = a || {};", "a: it is used before it is declared (line 1)"],
    ["a default that is not there yet", "var { a = b, b } = c;", "b: it is used before it is declared (line 1)"],
    ["a default around it", "var { x: { a } = a } = c;", "a: it is used before it is declared (line 1)"],
    ["what a loop goes through", "for (var a of a);", "a: it is used before it is declared (line 1)"],
    [
      "a hoisted function called early",
      "f(); var a = 1; function f() { return a; }",
      "a: a function that uses it (line 1) could run before it is declared",
    ],
    [
      "a function handed away early",
      "on(f); var a = 1; function f() { return a; }",
      "a: a function that uses it (line 1) could run before it is declared",
    ],
    [
      "a function made early",
      "exports.f = () => a; var a = 1;",
      "a: a function that uses it (line 1) could run before it is declared",
    ],
    [
      "a callback that could run at once",
      "var a = on(() => a);",
      "a: a function that uses it (line 1) could run before it is declared",
    ],
    [
      "a class that reads it while it is made",
      "var A = class { static x = A; };",
      "A: a function that uses it (line 1) could run before it is declared",
    ],
    [
      "what tests move to the top",
      "var a = 1; jest.mock('x', () => a);",
      "a: a function that uses it (line 1) could run before it is declared",
    ],
    [
      "a use after its block",
      "if (x) { var a = 1; } use(a);",
      "a: it is used outside the block that declares it (line 1)",
    ],
    [
      "a use in parameters",
      "function f(b = a) { var a = 1; }",
      "a: it is used outside the block that declares it (line 1)",
    ],
    [
      "a closure of a loop",
      "for (var i = 0; i < 2; i++) on(() => i);",
      "i: a function made in a loop uses it (line 1)",
    ],
    [
      "a value that a loop keeps",
      "while (x) { var a; a = a || 1; }",
      "a: it keeps its value from one turn of a loop to the next",
    ],
    ["two declarations", "var a = 1; { var a = 2; }", "a: it is declared more than once"],
    [
      "a parameter's name",
      "function f(a) { var a = a || 1; }",
      "a: a parameter, a function or something else has the same name",
    ],
    [
      "a function's name",
      "var a = 1; function a() {}",
      "a: a parameter, a function or something else has the same name",
    ],
    [
      "a function of a block of that name",
      "var a = 1; { function a() {} }",
      "a: a parameter, a function or something else has the same name",
    ],
    ["what `catch` caught", "try { } catch (a) { { var a = 1; } }", "a: the `catch` around it has a name like this"],
    [
      "a case",
      "switch (x) { case 1: var a = 1; }",
      "it is declared in a `case`, where other cases could see it half made",
    ],
    ["a branch without a block", "if (x) var a = 1;", "it is the only statement of a branch, a loop or a label"],
    ["a head with a value", "for (var a = 1 in b);", "the head of the loop gives it a value"],
    ["what eval could see", "var a = 1; function f() { eval(b); }", "a: `eval` in the same scope could depend on it"],
    [
      "what with could see",
      "function f() { with (b) { var a = 1; } }",
      "a: `with` in the same scope could depend on it",
    ],
    [
      "the names of Node's wrapper",
      "var exports = module.exports = {};",
      "exports: Node gives a CommonJS module a parameter of this name, which `let` may not repeat",
    ],
    [
      "names that `let` cannot have",
      "function f() { var arguments = 1; }",
      "arguments: `let` may not declare this name, or would change it",
    ],
  ])("%s", (_, source, reason) => {
    const { text, leftovers } = run(source);
    expect([text, leftovers[0]?.reason]).toEqual([source, reason]);
  });

  it("the globals of scripts, and of files that are made to be scripts too", () => {
    const reason = "1 a: at the top of a script it is a global, and nothing proves that this file is a module";
    expect(reasons("var a = 1; use(a);", "a.js")).toEqual([reason]);
    expect(reasons("var a = 1; if (typeof module !== 'undefined') module.exports = a;", "a.js")).toEqual([reason]);
    expect(reasons("var a = 1; define(['x'], function () {});", "a.js")).toEqual([reason]);
    expect(reasons("var a = require('x');", "a.ts")).toEqual([reason]);
    expect(run("var a = require('x');", "a.js").text).toBe("const a = require('x');");
    expect(run("{ var a = 1; }", "a.js").text).toBe("{ var a = 1; }");
  });

  it("what a module of a circular import could read too early", () => {
    const circular =
      "import './b.mjs'; export function f() { return a; } var a = 1; export var c = 2; var d = 3; export { d };";
    expect(reasons(circular, "a.mjs")).toHaveLength(3);
    expect(reasons(circular.replace("./b.mjs", "node:fs"), "a.mjs")).toEqual([]);
  });

  it("all declarations of a name when it leaves one", () => {
    const source = "for (var i = 0; i < 2; i++) use(i); for (var i = 0, j = j; i < 2; i++);";
    expect(reasons(source)).toEqual([
      "1 another declaration of the same name has to stay a `var`",
      "1 j: it is used before it is declared (line 1)",
    ]);
  });

  it("what only declares, and a file with a syntax error", () => {
    expect(reasons("declare global { var a: string; } export {};", "a.ts")).toEqual([
      "1 it only declares what exists elsewhere",
    ]);
    expect(run("var a = 1;\nvar b = (;", "a.cjs")).toEqual({
      text: "var a = 1;\nvar b = (;",
      leftovers: [
        expect.objectContaining({ line: 2, reason: "syntax error (Expression expected): the file is left as it is" }),
      ],
      skipped: undefined,
    });
    const deep = `var a = ${"[".repeat(20_000)}${"]".repeat(20_000)};`;
    expect(reasons(deep)).toEqual(["1 nested too deeply to be read: the file is left as it is"]);
    expect(recipe.rewrite({ path: "a.js", bytes: Buffer.from("var a\0") }).skipped).toBe(
      "not text: it holds a NUL byte",
    );
  });
});

describe("no-var on code that nobody here wrote", () => {
  it("shows no difference in what random programs do", () => {
    fc.assert(
      fc.property(programs(), (program) => {
        const before = runProgram(program);
        fc.pre(before !== undefined);
        const { text } = run(`function made() { ${program}\n}`, "a.js");
        expect(runProgram(text.slice("function made() { ".length, -2))).toEqual(before);
        expect(run(text, "a.js").text).toBe(text);
      }),
      { numRuns: 400 },
    );
  });

  it("leaves published sources that still compile, and nothing to do a second time", () => {
    for (const [path, bytes] of someSources(3)) {
      if (!recipe.covers(path)) continue;
      const { text } = run(bytes.toString("utf8"), path);
      if (isCommonJs(bytes.toString("utf8"))) expect(isCommonJs(text), path).toBe(true);
      expect(run(text, path).text).toBe(text);
    }
  });

  it("leaves a YAML library that reads and writes as before", () => {
    const folder = join(import.meta.dirname, "../../node_modules/yaml/dist");
    const sources = [...publishedSources()].filter(
      ([path]) => path.startsWith("yaml/dist/") && !path.includes("/browser/"),
    );
    const rewritten = new Map(
      sources.map(([path, bytes]) => [path.slice("yaml/dist/".length), run(bytes.toString("utf8"), path).text]),
    );
    expect([...rewritten.values()].join("\n").match(/^var /gm)).toBeNull();
    const text = readFileSync(join(import.meta.dirname, "../../examples/nightly-lint.yaml"), "utf8");
    const [before, after] = [createRequire(join(folder, "x.js"))("./index.js"), loadAll(rewritten)];
    expect(after.stringify(after.parse(text))).toBe(before.stringify(before.parse(text)));
    expect(() => after.parse("a: [1")).toThrow("Flow sequence");
  });
});

function isCommonJs(text: string): boolean {
  try {
    runInThisContext(`(function (exports, require, module) { ${text.replace(/^\uFEFF?#!.*/, "")}\n})`);
    return true;
  } catch {
    return false;
  }
}

interface Yaml {
  parse(text: string): unknown;
  stringify(value: unknown): string;
}

/** The modules of a folder, loaded from these texts. */
function loadAll(texts: ReadonlyMap<string, string>): Yaml {
  const require = createRequire(import.meta.url);
  const loaded = new Map<string, { exports: Yaml }>();
  const load = (path: string): Yaml => {
    const known = loaded.get(path);
    if (known) return known.exports;
    const module = { exports: {} as Yaml };
    loaded.set(path, module);
    const folder = join(path, "..");
    const wrapper: unknown = runInThisContext(`(function (exports, require, module) { ${texts.get(path)}\n})`);
    if (typeof wrapper !== "function") throw new Error(`${path} is not there`);
    wrapper(
      module.exports,
      (name: string) => (name.startsWith(".") ? load(join(folder, name)) : require(name)),
      module,
    );
    return module.exports;
  };
  return load("index.js");
}
