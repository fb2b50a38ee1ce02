import { join } from "node:path";
import ts from "@typescript/typescript6";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";
import { textsBelow } from "./program-view.ts";

const recipe = await compileRecipe({ name: "import-type" });
await recipe.prepare?.();

function run(source: string, path = "a.ts") {
  const bytes = Buffer.from(source);
  const { edits, leftovers } = recipe.rewrite({ path, bytes });
  return { text: Buffer.from(applyTextEdits(bytes, edits)).toString("utf8"), leftovers };
}

const uses = "let u: A | B | ns.C | typeof D; class K extends V<A> implements B {} new W();";

describe("import-type", () => {
  it.each([
    ["import A from 'a';", "import type A from 'a';"],
    ["import{A}from'a'", "import type{A}from'a'"],
    ["import * as ns from 'a' with { x: 'y' };", "import type * as ns from 'a' with { x: 'y' };"],
    ["import { A, x as B } from 'a';", "import type { A, x as B } from 'a';"],
    ["import { A, V, x as B } from 'a';", "import { type A, V, type x as B } from 'a';"],
    ["import { type A, B } from 'a';", "import { type A, type B } from 'a';"],
    ["import { A, unused } from 'a';", "import { type A, unused } from 'a';"],
    ["import V, { A, B } from 'a';", "import V, { type A, type B } from 'a';"],
    ["import A, { B } from 'a';", "import type A from 'a';\nimport type { B } from 'a';"],
    ["import A, { V, B } from 'a'", "import type A from 'a'\nimport { V, type B } from 'a'"],
    ["import V, * as ns from 'a';", "import V from 'a';\nimport type * as ns from 'a';"],
    ["import A, * as ns from 'a';", "import type A from 'a';\nimport type * as ns from 'a';"],
    ["import A = require('a');", "import type A = require('a');"],
    ["import { D } from 'a';", "import type { D } from 'a';"],
    ["import { A, W } from 'a'; export type { A };", "import { type A, W } from 'a'; export type { A };"],
    ["import { default as A } from 'a';", "import type { default as A } from 'a';"],
  ])("%s", (source, expected) => {
    expect(run(`${source}\n${uses}`)).toEqual({ text: `${expected}\n${uses}`, leftovers: [] });
    expect(run(`${expected}\n${uses}`).text).toBe(`${expected}\n${uses}`);
  });

  it.each([
    "import 'a';",
    "import {} from 'a';",
    "import type { A } from 'a';",
    "import { unused } from 'a';",
    "import { V, W } from 'a';",
    "import { A } from 'a'; export default A;",
    "import { A } from 'a'; @A class X {}",
    "import { A } from 'a'; interface I { [A]: string }",
    "import A = ns.C; import * as ns from 'a';",
    "import { A } from 'a'; namespace N { export import X = A.Y; }",
    "export { A } from 'a'; export * from 'b';",
    "import { A } from 'a'; import B = A.x;",
  ])("leaves %s", (source) => {
    expect(run(`${source}\nlet a: A; class K extends V { x = [W, ns]; }`)).toEqual({
      text: `${source}\nlet a: A; class K extends V { x = [W, ns]; }`,
      leftovers: [],
    });
  });

  it.each([
    [
      "a.ts",
      "import { A } from 'a'; export { A }; let a: A;",
      "it is exported again, and only its own file says whether it is a type",
    ],
    [
      "a.ts",
      "import { A } from 'a'; @dec class K { constructor(a: A) {} }",
      "it is a type of a decorated signature, which emitDecoratorMetadata keeps at run time",
    ],
    [
      "a.ts",
      "import { A } from 'a'; class K { @dec a: A; }",
      "it is a type of a decorated signature, which emitDecoratorMetadata keeps at run time",
    ],
    [
      "a.ts",
      "import { A } from 'a'; class K { m(@dec a: A) {} }",
      "it is a type of a decorated signature, which emitDecoratorMetadata keeps at run time",
    ],
    ["a.tsx", "import React from 'a'; const x: React.FC = () => <b/>;", "JSX may need it at run time"],
    ["a.tsx", "/** @jsx el */ import { el } from 'a'; const x: el = <b/>;", "JSX may need it at run time"],
    [
      "a.ts",
      "import A /* one */, { B } from 'a'; let a: A | B;",
      "A: a comment stands where the import would be parted",
    ],
    ["a.ts", "import { as as A, V } from 'a'; let a: A = V;", "`type` before this name means another thing"],
  ])("lists in %s: %s", (path, source, reason) => {
    expect(run(source, path)).toEqual({ text: source, leftovers: [expect.objectContaining({ line: 1, reason })] });
  });

  it("knows a type of its own from an imported one, and a body from a decorated signature", () => {
    const own =
      "import { A } from 'a';\nfunction f<A>(a: A) {} type T = { [A in B]: A } | (X extends infer A ? A : 1);";
    expect(run(own).text).toBe(own);
    expect(run("import { A } from 'a'; class K { @dec m() { let a: A; } }").text).toMatch(/^import type/);
    expect(run("import { A } from 'a'; { const A = 1; use(A); } let a: A;").text).toMatch(/^import type/);
  });

  it("keeps line endings, marks and indentation", () => {
    expect(run("\uFEFF  import A, { B } from 'a'; // why\r\n  let a: A | B;").text).toBe(
      "\uFEFF  import type A from 'a';\r\n  import type { B } from 'a'; // why\r\n  let a: A | B;",
    );
    expect(recipe.covers("a.d.ts") || recipe.covers("a.js")).toBe(false);
  });

  it("changes nothing that published sources are compiled to, and mends what verbatimModuleSyntax finds", () => {
    const folder = join(import.meta.dirname, "../../node_modules/ajv/lib");
    const sources = textsBelow(folder, (path) => path.endsWith(".ts"));
    const changed = Object.entries(sources).map(([path, text]) => [path, run(text, path).text] as const);
    for (const [path, text] of changed) {
      expect(emitted(text, path), path).toBe(emitted(sources[path] ?? "", path));
      expect(run(text, path).text).toBe(text);
    }
    const before = typesAsValues(sources);
    expect(before).toBeGreaterThan(50);
    expect(typesAsValues(Object.fromEntries(changed))).toBe(0);
  });

  it("changes nothing that random imports are compiled to", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const spec = fc
      .tuple(fc.constantFrom("", "", "type "), name, name)
      .map(([type, one, other]) => `${type}${one} as ${other}`);
    const clause = fc.oneof(
      name,
      fc.uniqueArray(spec, { minLength: 1, maxLength: 3, selector: (one) => one.slice(-1) }).map((all) => `{ ${all} }`),
      name.map((one) => `* as ${one}`),
      fc.tuple(name, spec).map(([one, other]) => `${one}, { ${other} }`),
    );
    const use = fc.tuple(
      fc.constantFrom(
        "let x: N;",
        "N();",
        "let x: typeof N;",
        "class X extends N {}",
        "{ let N = 1; N; }",
        "type N = N.x;",
        "export { N };",
        "class X<N> implements N {}",
        "enum E { N = 1, M = N }",
        "let x = <N>y;",
        "export { x as N };",
      ),
      name,
    );
    const source = fc
      .tuple(clause, fc.array(use, { maxLength: 5 }))
      .map(([imported, all]) =>
        [
          `import ${imported} from "m";`,
          ...all.map(([text, one], at) => `${text.replaceAll("N", one).replaceAll(/\b[xX]\b/g, `x${at}`)}`),
        ].join("\n"),
      );
    fc.assert(
      fc.property(source, (text) => {
        expect(emitted(run(text).text, "a.ts")).toBe(emitted(text, "a.ts"));
      }),
      { numRuns: 100 },
    );
  });
});

function emitted(text: string, fileName: string): string {
  const compilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    isolatedModules: true,
    removeComments: true,
  };
  return ts.transpileModule(text, { fileName, compilerOptions }).outputText;
}

/** How often the compiler says "is a type and must be imported using a type-only import". */
function typesAsValues(texts: Readonly<Record<string, string>>): number {
  const options = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    verbatimModuleSyntax: true,
    noLib: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram(
    Object.keys(texts).map((path) => `/lib/${path}`),
    options,
    {
      ...host,
      fileExists: (path) => texts[path.slice("/lib/".length)] !== undefined,
      readFile: (path) => texts[path.slice("/lib/".length)],
      getSourceFile: (path, target) => {
        const text = texts[path.slice("/lib/".length)];
        return text === undefined ? undefined : ts.createSourceFile(path, text, target);
      },
      directoryExists: () => true,
      getDirectories: () => [],
      realpath: (path) => path,
    },
  );
  return program
    .getSourceFiles()
    .flatMap((file) => program.getSemanticDiagnostics(file))
    .filter(({ code }) => code === 1484).length;
}
