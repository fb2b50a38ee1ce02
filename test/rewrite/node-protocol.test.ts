// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the code under test is text
import { parse } from "@ast-grep/napi";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtinModules } from "../../src/rewrite/builtin-modules.ts";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";
import { byRecipe, publishedSources, someSources } from "./oracle.ts";

const recipe = await compileRecipe({ name: "node-protocol" });

function run(source: string, path = "a.js") {
  const bytes = Buffer.from(source);
  const { edits, leftovers } = recipe.rewrite({ path, bytes });
  return { text: Buffer.from(applyTextEdits(bytes, edits)).toString("utf8"), leftovers };
}

function rewritten(source: string, path?: string): string {
  return run(source, path).text;
}

function reasons(source: string, path?: string): string[] {
  return run(source, path).leftovers.map(({ line, column, text, reason }) => `${line}:${column} ${text}: ${reason}`);
}

describe("node-protocol rewrites a name that is resolved as a module", () => {
  it.each([
    ["a.mjs", 'import fs from "fs";'],
    ["a.mjs", "import 'fs'"],
    ["a.mjs", 'import fs, { a as b } from "fs" with { type: "fs" };'],
    ["a.mjs", "export * from 'fs/promises'; export * as p from 'path'; export { x } from 'util';"],
    ["a.mjs", "const a = await import('zlib'), b = await import(/* why */ `os`);"],
    ["a.js", "const a = require('fs'), b = require(\"path\"), c = require(`util`);"],
    [
      "a.js",
      "require ( 'fs' ); require?.('os'); require.resolve('fs'); module.require('fs'); require.main.require('fs')",
    ],
    ["a.js", "#!/usr/bin/env node\n'use strict'\nrequire('fs')"],
    ["a.jsx", "const a = require('fs'); const b = <p title='fs'>{require('os').EOL}</p>;"],
    [
      "a.mjs",
      "const require = createRequire(import.meta.url); require('fs'); createRequire(import.meta.url)('os'); Module.createRequire(x)('fs')",
    ],
    ["a.ts", "import fs = require('fs'); import type { Stats } from 'fs'; export type { Y } from 'http';"],
    [
      "a.ts",
      "type A = typeof import('fs'); let s: import('fs').Stats; function f(a: import('net').Socket): Array<import('tls').X> {}",
    ],
    ["a.tsx", "const a = require('fs') as typeof import('fs'); const b = <T,>(x: T) => <p>{x}</p>;"],
    [
      "a.d.ts",
      "/// <reference types='node' />\nimport { URL } from 'url'; export function f(): import('stream').Readable;",
    ],
    [
      "a.test.js",
      "jest.mock('fs'); jest.unmock('fs'); jest.doMock('fs', () => ({})); jest.requireActual('fs'); jest.createMockFromModule('fs')",
    ],
    [
      "a.test.ts",
      "jest.mock<typeof import('fs')>('fs', () => ({})); const a = jest.requireActual<typeof import('fs')>('fs');",
    ],
    [
      "a.test.ts",
      "vi.mock(import('fs'), f); vi . mock('fs'); vi.doUnmock('fs'); const a = await vi.importActual<typeof import('fs')>('fs');",
    ],
    ["a.test.ts", "vi.importMock<any>('fs')"],
    ["a.test.js", "jest.mock('fs').mock('path', () => 1)\n  .resetModules()\n  .unmock('os');"],
    [
      "a.test.ts",
      "vi.mock('fs', async (original) => ({ ...(await original<typeof import('fs')>()), ...(await f<typeof import( \"os\" )>(1)).x }));",
    ],
    [
      "a.test.ts",
      "const a = jest.requireActual<typeof import('fs')>('fs').promises, b = await vi.importActual<typeof import('os')>('os'); use<import('net').Socket>(c)",
    ],
    ["a.test.tsx", "jest.mock('fs', () => ({ ...jest.requireActual<typeof import('fs')>('fs'), a: <b/> }));"],
    [
      "a.mjs",
      "const req = createRequire(import.meta.url); req('fs'); req.resolve('os'); let $ = Module.createRequire(f); $('net')",
    ],
    ["a.ts", "export import y = require('os');"],
    [
      "a.d.ts",
      'export declare const a: (Omit<import("fs").Stats<string, object>, "x-y"> | import("net").Socket<\n import("tls").X[]>)[];',
    ],
    [
      "a.ts",
      "f(...(await import('fs')).x, import('os').then((a) => a), { path: import('path') } as import('net').X<Y>)",
    ],
    ["a.test.js", "const mock = require('mock-require'); mock('fs', {}); mock.stop('fs'); mock.reRequire('os')"],
    ["a.js", "(0, require)('fs'); (0, require.resolve)(\"os\")"],
    ["a.test.mjs", "import { jest as j } from '@jest/globals'; j.mock('fs').mock('os'); j.requireActual('fs');"],
    ["a.test.mjs", "import { vi as v } from 'vitest'; v.mock('fs'); await v.importActual('os');"],
    ["a.test.mjs", "mock.module('fs', {}); t.mock.module('os')"],
    [
      "a.test.js",
      "mockery.registerMock('fs', {}); mockery.registerAllowables(['fs', './x', 'path']); td.replace('fs'); rewiremock('fs')",
    ],
    [
      "a.js",
      "require('_stream_readable'); require('punycode'); require('process'); require('constants'); require('sys')",
    ],
  ])("in %s: %s", (path, source) => {
    const builtin = /(["'`])((?:_?[a-z]+_?[a-z]*)(?:\/[a-z]+)?)\1/g;
    const kept = new Set(["use strict", "mock-require", "@jest/globals", "vitest"]);
    const expected = source.replaceAll(builtin, (whole, quote, name, at: number) => {
      const isPlain = /(?:title=|type: |types=)$/.test(source.slice(0, at)) || kept.has(name);
      return isPlain ? whole : `${quote}node:${name}${quote}`;
    });
    expect(expected).not.toBe(source);
    expect(run(source, path)).toEqual({ text: expected, leftovers: [] });
  });

  it("in every spelling of proxyquire's stubs, in the quotes of the call", () => {
    const call = (stubs: string) => `const x = proxyquire('./x', ${stubs});`;
    expect(
      rewritten(
        call("{ fs: a, 'path': b, os, util() {}, get net() {}, ['url']: c, './y': d, lodash: e, async tls() {} }"),
      ),
    ).toBe(
      call(
        "{ 'node:fs': a, 'node:path': b, 'node:os': os, 'node:util'() {}, get 'node:net'() {}, ['node:url']: c, './y': d, lodash: e, async 'node:tls'() {} }",
      ),
    );
    expect(rewritten('proxyquire("./x", { fs })')).toBe('proxyquire("./x", { "node:fs": fs })');
    expect(rewritten("proxyquire(file, { fs: { fs: 1, 'path': 2 } })")).toBe(
      `proxyquire(file, { "node:fs": { fs: 1, 'path': 2 } })`,
    );
  });

  it.each([
    "const t = require('tap'); t.mock('../x', { fs: 1 })",
    "import tap from 'tap'; tap.test('a', (t) => { t.mockRequire('../x', { fs: 1 }) })",
    "import t from 'tap'; const x = await t.mockImport('../x', { fs: 1 })",
  ])("in the stubs of tap in `%s`", (source) => {
    expect(run(source)).toEqual({ text: source.replace("fs: 1", "'node:fs': 1"), leftovers: [] });
  });

  it.each([
    "proxyquire.noCallThru()('./x', { fs: 1 })",
    "proxyquire.noCallThru().noPreserveCache().load('./x', { fs: 1 }).run({ fs: 2 }, { fs: 3 })",
    "require('proxyquire')('./x', { fs: 1 })",
    "require('proxyquire').noCallThru()('./x', { fs: 1 })",
    "const pq$ = require('proxyquire').noCallThru(); pq$('./x', { fs: 1 })",
    "import * as stub from 'proxyquire'; stub.load('./x', { fs: 1 })",
    "import p from 'proxyquire'; const a = p<X>; p('./x', { fs: 1 })",
    "const { load } = require('proxyquire').noCallThru(); load('./x', { fs: 1 })",
    "const { noCallThru, load: pq } = require('proxyquire'); pq('./x', { fs: 1 })",
    "const load = proxyquire.noCallThru().load; const a = load; load('./x', { fs: 1 })",
    "const pq = require('proxyquire'), strict = pq\n  .noCallThru()\nstrict('./x', { fs: 1 })",
    "import p from 'proxyquire'; p<typeof import('./x')>('./x', { fs: 1 } as any)",
    "import p from 'proxyquire'; p('./x', <any>({ fs: 1 }))",
    "const stubs = { fs: 1 }; proxyquire('./x', stubs); proxyquire('./y', stubs)",
  ])("in the stubs of `%s` and in nothing beside them", (source) => {
    expect(rewritten(source, source.startsWith("import") ? "a.ts" : "a.js")).toBe(
      source.replace("{ fs: 1", "{ 'node:fs': 1"),
    );
  });
});

describe("node-protocol leaves alone", () => {
  it.each([
    "import a from 'node:fs'; require('node:path')",
    "require('punycode/'); require('string_decoder/'); require('process/browser'); require('util/'); require('fs-extra'); require('test')",
    "'fs'; const a = 'fs'; foo('fs'); ['fs']; x = { fs: 'path' }; process.binding('fs'); builtins.has('fs'); a.require('fs')",
    "// require('fs')\n/* import 'fs' */ const a = \"require('fs')\", b = `import 'fs'`, c = /require('fs')/;",
    "require('./fs'); require('../path'); require('/fs'); require('fs' + '/promises.js')".slice(0, 50),
    "import { a as b } from './x' with { type: 'fs' }; new Worker('fs'); require(x ? 'a' : 'b').fs",
    "require('x', 'fs'); import('x', 'fs'); jest.fn('fs'); vi.spyOn(fs, 'path'); td.replace(fs, 'path'); jest.mock('./fs')",
    "const x = require('proxyquire')('./x', {}); x('./y', { path: 1 })",
    "const x = proxyquire.noCallThru().load('./x', {}), y = proxyquire('./y', {}); x('./y', { path: 1 }); y('./z', { fs: 1 })",
    "const req = createRequire; req('fs'); a.req = createRequire(b); req('os'); const x = createRequire(f('a'))('./y'); x('fs')",
    "define(['fs'], (fs) => {}); require(['fs'], (fs) => {})",
    "t.mock('./x', { fs: 1 }); mock('fs', {}); jest.fn('a').mock('fs'); jest.requireActual('./x').mock('fs')",
    "const stubs = { fs: 1 }; proxy('./x', { fs: 1 }); proxyquire('fs'); proxyquire('./x')",
  ])("%s", (source) => {
    expect(rewritten(source)).toBe(source);
  });

  it("TypeScript's own declarations of a module, and says so", () => {
    const source = 'declare module "fs" { interface Stats { mine: 1 } }\nimport "fs";\n';
    expect(rewritten(source, "a.d.ts")).toBe(source.replace('import "fs"', 'import "node:fs"'));
    expect(reasons(source, "a.d.ts")).toEqual([
      '1:16 "fs": declares this module for TypeScript; it must change together with all its uses',
    ]);
  });

  it.each([
    "(function (require, module, exports) { require('fs') })",
    "({ 1: [function (require, module) { if (a) { b(() => require('fs')) } }, {}] })",
    "define((require) => { require('fs') })",
    "define(require => require('fs'))",
    "function f({ require }) { require('fs') }",
    "function f(a, { b: require = 1 }) { require('fs') }",
    "const require = fake; require('fs')",
    "{ function require() {} require('fs') }",
    "import { load as require } from './x'; require('fs')",
    "import require from './x'; require('fs')",
    "try {} catch (require) { require('fs') }",
  ])("a `require` that is somebody else's, and says so: %s", (source) => {
    expect(rewritten(source)).toBe(source);
    expect(reasons(source)).toEqual([
      expect.stringContaining("require('fs'): `require` is a local name here, not Node's"),
    ]);
  });

  it.each([
    "function f(a = require) {} require('fs')",
    "(function (require) { require('./x') })(require); require('fs')",
    "if (typeof require === 'function') require('fs')",
    "{ const require = 1 } require('fs')",
    "const require = module.require; require('fs')",
    "import { require as load } from './x'; require('fs')",
  ])("nothing when `require` is Node's after all: %s", (source) => {
    expect(rewritten(source)).toBe(source.replace("'fs'", "'node:fs'"));
  });
});

describe("node-protocol lists what it cannot decide", () => {
  it("with place, text and reason", () => {
    const source =
      "const é = '\u{1F600}'; require(name);\nimport(pick());\r\n  require.resolve(`${a}/promises`, { paths: [\n] });\n";
    expect(run(source, "lib/a.js").leftovers).toEqual([
      { path: "lib/a.js", line: 1, column: 17, text: "require(name)", reason: "not a literal" },
      { path: "lib/a.js", line: 2, column: 1, text: "import(pick())", reason: "not a literal" },
      {
        path: "lib/a.js",
        line: 3,
        column: 3,
        text: "require.resolve(`${a}/promises`, { paths: [...",
        reason: "not a literal",
      },
    ]);
  });

  it.each([
    "require('f' + s)",
    "require(a ? 'fs' : 'path')",
    "require(`fs${a}`)",
    "import(m.name)",
    "require(...list)",
    "require(/* x */ n)",
    "require(get('fs'))",
  ])("when it may be a built-in: %s", (source) => {
    expect(reasons(source)).toEqual([`1:1 ${source}: not a literal`]);
  });

  it.each([
    "require('./' + name)",
    "require(`./${name}`)",
    "require('lodash/' + name)",
    "require(__dirname + '/x')",
    "require(path.join(__dirname, x))",
    "require(path.resolve(x))",
    "import(pathToFileURL(x))",
    "import(new URL('./x', import.meta.url))",
    "require([a], b)",
    "require()",
    "import.meta.url",
    "(require) => require(x)",
    "// require(x)",
  ])("but not when it is a path or no call at all: %s", (source) => {
    expect(run(source)).toEqual({ text: source, leftovers: [] });
  });

  it("among the stubs of proxyquire", () => {
    expect(reasons("const stubs = { fs: 1 }; stubs.os = 1; proxyquire('./x', stubs)")).toEqual([
      "1:58 stubs: the stubs are not an object literal",
    ]);
    expect(reasons("proxyquire('./x', stubs)")).toEqual(["1:19 stubs: the stubs are not an object literal"]);
    expect(reasons("proxyquire('./x', { ...base, './y': 1 })")).toEqual([
      "1:21 ...base: the keys of these stubs are not visible here",
    ]);
    const source = "proxyquire('glob', { fs: 1 })";
    expect(run(source)).toMatchObject({
      text: source,
      leftovers: [{ text: "'glob'", reason: "stubs a package, which keeps its own names" }],
    });
  });

  it("among the stubs of require-inject, whose way the prefix goes around", () => {
    const source = "const inject = require('require-inject'); inject.withEmptyCache('../x', { fs: 1, './y': 2 })";
    const reason = "require-inject works through require.cache, which a name with the prefix goes around";
    expect(run(source)).toMatchObject({ text: source, leftovers: [{ text: "fs", reason }] });
  });

  it("but for types, whatever the grammar makes of them, which in comments and texts are left alone", () => {
    const source =
      "// f<typeof import('fs')>()\nconst a = `typeof import('fs')`, b = \"<import('fs')>\";\ntypeof import('./fs');";
    expect(run(source, "a.ts")).toEqual({ text: source, leftovers: [] });
  });

  it("and what stands beside a syntax error", () => {
    const { text, leftovers } = run("import fs, { a as 'b' 'c' } from 'fs';\n\nx();\nrequire('os');\n", "a.mjs");
    expect(text).toContain("require('node:os')");
    expect(leftovers[0]?.reason).toContain("syntax error in the JavaScript grammar");
  });
});

describe("node-protocol on real and generated sources", () => {
  it("puts back every prefix that was taken out of published sources, adds no syntax error, and then finds nothing", () => {
    const isPrefixed = ([path]: [string, Buffer]) => /undici|commander/.test(path);
    const originals = new Map([...publishedSources(), ...someSources(1)].filter(isPrefixed));
    const bare = new Map(
      originals.entries().map(([path, bytes]) => [path, Buffer.from(withoutPrefixes(bytes), "latin1")]),
    );
    const made = byRecipe(bare, recipe);
    let changed = 0;
    for (const [path, bytes] of originals) {
      const before = bare.get(path) ?? Buffer.alloc(0);
      expect(made.get(path)?.toString("latin1"), path).toBe(bytes.toString("latin1"));
      if (bytes.equals(before)) continue;
      changed++;
      expect(errorsIn(path, bytes), path).toBe(errorsIn(path, before));
    }
    expect(changed).toBeGreaterThan(50);
    expect(byRecipe(made, recipe)).toEqual(made);
  });

  it("is idempotent, and adds nothing but prefixes, on any mixture of lines", () => {
    const line = fc.constantFrom(
      "import a from 'fs'",
      'const b = require("path")',
      "import('os')",
      "require(name)",
      "'fs'",
      "// '\u{1F600}' require('fs')",
      "proxyquire('./x', { 'path': 1, [`y`]: 2 })",
      "function f(require) { require('fs') }",
      "jest.mock<typeof import('fs')>('fs')",
      "export * from 'util'",
      "const s = '\u4e16\u{1F600}'",
      "require(`fs`)",
      "const require = 1",
      ...["}", "(", "`${", "/*", "*/", "<a>", "@"],
    );
    const end = fc.constantFrom("\n", "\r\n", ";\n", "; ", "\n\n");
    const source = fc
      .tuple(fc.constantFrom("", "\uFEFF", "#!/bin/node\n"), fc.array(fc.tuple(line, end), { maxLength: 12 }))
      .map(([head, lines]) => head + lines.map((pair) => pair.join("")).join(""));
    fc.assert(
      fc.property(source, fc.constantFrom("a.js", "a.ts", "a.tsx"), (text, path) => {
        const once = rewritten(text, path);
        expect(rewritten(once, path)).toBe(once);
        expect(once.replaceAll("node:", "")).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});

/** As if the package had been written before the prefix; what is not an import or a require keeps its prefix. */
function withoutPrefixes(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replaceAll(
      /(?<!^\s*(?:\/?\*|\/\/).*)(?<=\b(?:require|import)\(|\bfrom |\bimport )(["'])node:([a-z0-9_/]+)\1/gm,
      (whole, quote, name) => (builtinModules.has(name) ? quote + name + quote : whole),
    );
}

function errorsIn(path: string, bytes: Buffer): number {
  const language = path.endsWith(".ts") ? "TypeScript" : "JavaScript";
  return parse(language, bytes.toString("utf8"))
    .root()
    .findAll({ rule: { kind: "ERROR" } }).length;
}
