import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import { changedBy, type Texts, textsBelow, viewOf } from "./program-view.ts";

const recipe = await compileRecipe({ name: "require-to-import" });
const manifest = { "package.json": '{ "type": "module" }' };

async function plan(texts: Texts, files?: string[]) {
  if (!("plan" in recipe)) throw new Error("it looks at single files");
  const made = await recipe.plan(viewOf(texts, files ? { files } : {}));
  if ("refused" in made) throw new Error(made.refused);
  const left = made.leftovers.map(({ path, line, column, reason }) => `${path}:${line}:${column} ${reason}`);
  return { changed: changedBy(made), left };
}

/** What becomes of a file beside some that it may load. */
async function converted(source: string): Promise<unknown> {
  const { changed, left } = await plan({ ...manifest, ...beside, "a.js": source }, [
    "a.js",
    "b.js",
    "c.js",
    "d/index.js",
  ]);
  expect(left).toEqual([]);
  return changed["a.js"];
}

async function reasons(source: string, more: Texts = {}): Promise<string[]> {
  const { changed, left } = await plan({ ...manifest, ...beside, ...more, "a.js": source });
  expect(changed["a.js"]).toBeUndefined();
  return left.filter((one) => one.startsWith("a.js:")).map((one) => one.slice("a.js:".length));
}

const beside = {
  "b.js": "'use strict';\nmodule.exports = { x: 1 };\n",
  "c.js": "'use strict';\nexports.one = 1;\nexports.two = () => 2;\n",
  "d/index.js": "'use strict';\nmodule.exports = class D {};\n",
  "e.cjs": "module.exports = 1;",
  "m.mjs": "export const one = 1; export function two() {}",
};

describe("require-to-import", () => {
  it.each([
    ["const a = require('pkg');", "import a from 'pkg';"],
    ['var a = require("@x/pkg")', 'import a from "@x/pkg"'],
    ["require('pkg/a.js');", "import 'pkg/a.js';"],
    ["const { join, resolve: r } = require('node:path');", "import { join, resolve as r } from 'node:path';"],
    ["const E = require('events').EventEmitter;", "import { EventEmitter as E } from 'events';"],
    ["const { notYet } = require('fs');", "import fs from 'fs';\nconst { notYet } = fs;"],
    ["const { a, ...b } = require('pkg');", "import pkg from 'pkg';\nconst { a, ...b } = pkg;"],
    ["const pkg = 1, { a } = require('pkg');", "import pkgModule from 'pkg';\nconst pkg = 1, { a } = pkgModule;"],
    ["const a = require('x'),\n  b = require('y');", "import a from 'x';\nimport b from 'y';"],
    ["let a = require('x'); a = a.b;", "import x from 'x';\nlet a = x; a = a.b;"],
    ["const a = require(`x`)(1);", 'import x from "x";\nconst a = x(1);'],
    ["const b = require('./b');", "import b from './b.js';"],
    ["const { x } = require('./b.js');", "import b from './b.js';\nconst { x } = b;"],
    ["const { one: x } = require('./c');", "import { one as x } from './c.js';"],
    ["const c = require('./c'); c.two([-c.one]);", "import * as c from './c.js'; c.two([-c.one]);"],
    ["const x = require('./c').one;", "import { one as x } from './c.js';"],
    ["const D = require('./d');", "import D from './d/index.js';"],
    ["const e = require('./e.cjs');", "import e from './e.cjs';"],
    ["const { one } = require('./m.mjs');", "import { one } from './m.mjs';"],
    ["exports.a = 1; exports.b = function () {};", "export const a = 1; export const b = function () {};"],
    ["const a = 1; exports.a = a; exports.b = a;", "const a = 1; export { a }; export { a as b };"],
    ["let a = 1; a = 2; exports.b = a;", "let a = 1; a = 2; export const b = a;"],
    ["module.exports.a = async () => {};", "export const a = async () => {};"],
    ["module.exports = { a: 1 };", "export default { a: 1 };"],
    ["module.exports = function f() {};", "export default function f() {};"],
    ["const f = 1; module.exports = function f() {};", "const f = 1; export default (function f() {});"],
    ["module.exports = require('./b');", "import b from './b.js';\nexport default b;"],
    ["import x from 'x';\nconst y = require('y');", "import x from 'x';\nimport y from 'y';"],
  ])("%s", async (source, expected) => {
    expect(await converted(`'use strict';\n${source}\n`)).toBe(`'use strict';\n${expected}\n`);
  });

  it("keeps comments, marks, line endings and the end of the file", async () => {
    const source =
      "\uFEFF#!/usr/bin/env node\r\n'use strict' // strict\r\nconst a = require('a') // \u{1F600}\r\n\r\n/* out */ exports.a = /* no */ a";
    expect(await reasons(source)).toEqual(["5:11 a comment stands inside of what would change"]);
    expect(await converted(source.replace("/* no */ ", ""))).toBe(
      "\uFEFF#!/usr/bin/env node\r\n'use strict' // strict\r\nimport a from 'a' // \u{1F600}\r\n\r\n/* out */ export { a }",
    );
  });

  it("has nothing to do a second time", async () => {
    const source = "const b = require('./b'); const { one } = require('./c'); module.exports = [b, one];";
    const texts = { ...manifest, ...beside, "a.js": source };
    const { changed } = await plan(texts);
    expect(Object.keys(changed)).toEqual(["a.js", "b.js", "c.js", "d/index.js"]);
    const after = Object.fromEntries(
      Object.entries({ ...texts, ...changed }).map(([path, text]) => [path, text ?? ""]),
    );
    expect(await plan(after)).toEqual({ changed: {}, left: [] });
  });
});

describe("require-to-import leaves a file whole", () => {
  it.each([
    ["function f() { require('fs'); }", "1:16 it is loaded only when a function, a branch or a block comes to it"],
    ["const a = x ? require('a') : 1;", "1:15 it is loaded only when a function, a branch or a block comes to it"],
    ["try { require('a'); } catch {}", "1:7 it is loaded only when a function, a branch or a block comes to it"],
    ["require(name);", "1:1 what it loads is not written out"],
    ["require.resolve('a');", "1:1 an ES module has no `require`; only calls of it can become imports"],
    ["if (require.main === module) f();", "1:5 an ES module has no `require`; only calls of it can become imports"],
    ["use(__dirname);", "1:5 an ES module has no __dirname; write import.meta.dirname where your Node has it"],
    ["require('./x.json');", "1:1 only `require` loads such a file on every Node; read it, or use createRequire"],
    ["require('./gone');", "1:1 it is not in the repository, or is found by its package.json"],
    ["require('#inner');", "1:1 where it leads is decided elsewhere"],
    ["require('pkg/deep');", "1:1 only the package knows whether an import finds this path without its ending"],
    ["set(); require('./b');", "1:8 as an import it would be loaded before line 1 runs"],
    ["require('dotenv').config(); require('./b');", "1:29 as an import it would be loaded before line 1 runs"],
    ["const { nope } = require('./c');", "1:18 it exports no `nope`"],
    [
      "const c = require('./c'); use(c);",
      "1:11 its exports are used as an object, changed, or asked for a name that it does not export",
    ],
    [
      "const c = require('./c'); [c.one] = [2];",
      "1:11 its exports are used as an object, changed, or asked for a name that it does not export",
    ],
    [
      "const c = require('./c'); c.one = 2;",
      "1:11 its exports are used as an object, changed, or asked for a name that it does not export",
    ],
    [
      "exports.a = 1; exports.b = exports.a;",
      "1:28 only `exports.name = value` and `module.exports = value` at the top can be said in an ES module",
    ],
    [
      "if (x) exports.a = 1;",
      "1:8 only `exports.name = value` and `module.exports = value` at the top can be said in an ES module",
    ],
    [
      "Object.defineProperty(exports, '__esModule', {});",
      "1:1 only `exports.name = value` and `module.exports = value` at the top can be said in an ES module",
    ],
    ["module.exports = 1; module.exports.a = 2;", "1:21 it exports more beside `module.exports`"],
    ["exports.a = 1; exports.a = 2;", "1:16 it is exported twice"],
    ["exports.fetch = () => fetch(1);", "1:1 the file uses another `fetch`, of the global scope"],
    ["exports.f = 1; function f() {}", "1:1 the file has another `f` at the top"],
    ["exports.delete = 1;", "1:1 `delete` cannot be the name of a variable"],
    [
      "this.a = 1; exports.b = 2;",
      "1:1 `this` at the top is the exports of a CommonJS file, and nothing in an ES module",
    ],
    ["exports.a = function () { return this.b; };", "1:34 `this` is the exports here when it is called on them"],
    [
      "function f() { return this; } exports.f = f;",
      "1:23 `this` may be the global object here, which strict code does not give; add 'use strict' and test first",
    ],
    ["a = 1; exports.b = a;", "1:1 `a` is declared nowhere, and strict code may not make a global"],
    ["with (a) b; exports.c = 1;", "1:1 an ES module has no `with`"],
    ["exports.a = 017;", "1:13 an ES module has no numbers like this"],
    ["exports.a = '\\01';", "1:13 an ES module has no such escape in a string"],
    ["var await = 1; exports.a = 1;", "1:5 `await` cannot be a name in an ES module"],
    [
      "{ function f() {} } exports.g = () => f();",
      "1:39 the function is declared in a block, and strict code knows it only there",
    ],
    [
      "function f(a) { a = 1; return arguments[0]; } exports.f = f;",
      "1:31 `arguments` and the parameters are one in sloppy code only",
    ],
    ["return; exports.a = 1;", "1:1 only a CommonJS file can return"],
    ["const a = require(/* why */ 'a');", "1:11 a comment stands inside of it"],
    ["jest.mock('a'); const a = require('a');", "1:1 its test doubles work by way of `require`"],
  ])("%s", async (source, reason) => {
    expect(await reasons(source)).toContain(reason);
  });

  it("when its package is not of ES modules, or its syntax cannot be read", async () => {
    const reason = `1:1 package.json does not say "type": "module", so Node runs this file as CommonJS`;
    expect(await reasons("require('a');", { "package.json": '{"type":"commonjs"}' })).toEqual([reason]);
    expect(await reasons("require('a');", { "package.json": "{" })).toEqual([reason]);
    const { changed, left } = await plan({ "a.js": "require('a');", "b.js": "let a = 1;" });
    expect([changed, left]).toEqual([
      {},
      [`a.js:1:1 no package.json above it does not say "type": "module", so Node runs this file as CommonJS`],
    ]);
    expect(await reasons("require('a'; ")).toEqual([expect.stringContaining("syntax error")]);
  });

  it("with all that load it, with those in a circle, and beside what another task has", async () => {
    const texts = {
      ...manifest,
      "a.js": "const b = require('./b');",
      "b.js": "const c = require('./c'); module.exports = 1;",
      "c.js": "use(__filename); module.exports = 1;",
      "x.js": "const y = require('./y'); module.exports = 1;",
      "y.js": "const x = require('./x'); module.exports = 1;",
    };
    const { changed, left } = await plan(texts);
    expect([changed, left]).toEqual([
      {},
      [
        "a.js:1:11 b.js has to stay CommonJS",
        "b.js:1:11 c.js has to stay CommonJS",
        "c.js:1:5 an ES module has no __filename; write import.meta.filename where your Node has it",
        "x.js:1:11 y.js has to stay CommonJS",
        "y.js:1:11 x.js loads this file in turn (x.js -> y.js -> x.js)",
      ],
    ]);
    const alone = await plan({ ...texts, "b.js": "module.exports = 1;" }, ["a.js"]);
    expect(alone).toEqual({
      changed: {},
      left: ["a.js:1:11 b.js is CommonJS, and not of this task: let one task have both (split: none)"],
    });
  });
});

describe("require-to-import on packages that nobody here wrote", () => {
  it("leaves modules that load and export what they did", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sheaf-modules-"));
    const modules = join(import.meta.dirname, "../../node_modules");
    try {
      const jobs: string[] = [];
      for (const name of ["undici", "avvio", "fast-json-stringify", "find-my-way", "semver", "light-my-request"]) {
        const texts = textsBelow(
          join(modules, name),
          (path) => /\.(?:[cm]?js|json)$/.test(path) && !/node_modules|test|bench/.test(path),
        );
        const own: unknown = JSON.parse(texts["package.json"] ?? "{}");
        const all = {
          ...texts,
          "package.json": JSON.stringify({ ...Object(own), type: "module", exports: undefined }),
        };
        const { changed } = await plan(all);
        for (const [path, text] of Object.entries({ ...all, ...changed })) put(join(folder, name, path), text ?? "");
        jobs.push(...Object.keys(changed).map((path) => `${name}/${path}`));
      }
      symlinkSync(modules, join(folder, "node_modules"));
      put(join(folder, "compare.mjs"), comparison);
      expect(jobs.length).toBeGreaterThan(60);
      const said = execFileSync(process.execPath, ["compare.mjs", modules, ...jobs], { cwd: folder, encoding: "utf8" });
      expect(said).toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Prints the modules that do not load, or whose exports are of other names and kinds. */
const comparison = `
import { createRequire } from "node:module";
const [modules, ...jobs] = process.argv.slice(2);
const require = createRequire(modules + "/x.js");
const keys = (value) => Object.keys(value ?? {}).sort().join();
const shown = (value) => typeof value + " " + (/object|function/.test(typeof value) ? keys(value) + " " + keys(value?.prototype) : value);
for (const job of jobs) {
  let before;
  try { before = shown(require(modules + "/" + job)); } catch { continue; }
  try {
    const module = await import("./" + job);
    const after = shown("default" in module ? module.default : { ...module });
    if (after !== before) console.log(job, before, after);
  } catch (thrown) { console.log(job, thrown.message); }
}
process.exit(0);
`;
