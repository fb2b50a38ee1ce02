import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import type { ProgramRewrite } from "../../src/rewrite/program-recipe.ts";
import { complaintsOf } from "./compiler.ts";
import { changedBy, type Texts, textsBelow, viewOf } from "./program-view.ts";

interface Asked {
  file: string;
  symbol: string;
  to: string;
  tsconfig?: string;
}

async function rename(texts: Texts, asked: Asked): Promise<ProgramRewrite> {
  return (await compileRecipe({ name: "rename-symbol", ...asked })).plan(viewOf(texts));
}

async function refusalOf(texts: Texts, asked: Asked): Promise<string> {
  const made = await rename(texts, asked);
  if (!("refused" in made)) throw new Error(`it was done: ${JSON.stringify(changedBy(made))}`);
  return made.refused;
}

function reasonsOf(made: ProgramRewrite): string[] {
  return (made.leftovers ?? []).map(({ path, line, text, reason }) => `${path}:${line} ${text}: ${reason}`);
}

const settings =
  '{ "compilerOptions": { "module": "nodenext", "lib": ["es2015"], "strict": true, "noEmit": true }, "include": ["src"] }';
const library: Texts = {
  "tsconfig.json": settings,
  "package.json": '{ "type": "module" }',
  "src/user.ts": "export function getUser(id?: number) { return id; }\nexport { getUser as find };\n",
  "src/index.ts": 'export { getUser } from "./user.js";\n',
};

describe("rename-symbol", () => {
  it("renames through barrels, namespaces, destructuring and tests outside the project, and leaves no alias", async () => {
    const made = await rename(
      {
        ...library,
        "src/a.ts":
          'import { getUser } from "./index.js";\nexport const api = { getUser };\napi.getUser();\ngetUser();\n',
        "src/b.ts": 'import * as all from "./index.js";\nconst { getUser } = all;\nall.getUser(getUser(1));\n',
        "src/c.ts": 'const { getUser: other } = await import("./index.js");\nother();\nexport {};\n',
        "src/d.ts": 'import { getUser as fetchUser } from "./index.js";\nfetchUser();\n',
        "src/e.ts": "function getUser() {}\ngetUser();\nexport {};\n",
        "test/a.test.ts": 'import { getUser } from "../src/index.js";\ngetUser();\n',
      },
      { file: "src/user.ts", symbol: "getUser", to: "fetchUser" },
    );
    expect(changedBy(made)).toEqual({
      "src/user.ts": "export function fetchUser(id?: number) { return id; }\nexport { fetchUser as find };\n",
      "src/index.ts": 'export { fetchUser } from "./user.js";\n',
      "src/a.ts":
        'import { fetchUser } from "./index.js";\nexport const api = { getUser: fetchUser };\napi.getUser();\nfetchUser();\n',
      "src/b.ts": 'import * as all from "./index.js";\nconst { fetchUser } = all;\nall.fetchUser(fetchUser(1));\n',
      "src/c.ts": 'const { fetchUser: other } = await import("./index.js");\nother();\nexport {};\n',
      "src/d.ts": 'import { fetchUser } from "./index.js";\nfetchUser();\n',
      "test/a.test.ts": 'import { fetchUser } from "../src/index.js";\nfetchUser();\n',
    });
    expect(reasonsOf(made)).toEqual([
      "src/a.ts:2 getUser: the property keeps its name, for those who read it by that name",
    ]);
  });

  it("lists the same word in strings, comments, elements, documents, and behind unknown types", async () => {
    const made = await rename(
      {
        ...library,
        "README.md": "Call getUser, not getUsers.\n",
        "src/a.tsx": [
          "declare const anything: any;",
          "// getUser",
          "/** {@link nothing} getUser */",
          "anything.getUser();",
          'anything["getUser"];',
          "const text = `${" + "1} getUser`;",
          '<a title="getUser">getUser</a>;',
          "/getUser/.test(text);",
          "export {};",
        ].join("\n"),
      },
      { file: "src/user.ts", symbol: "getUser", to: "fetchUser" },
    );
    expect(reasonsOf(made)).toEqual([
      "README.md:1 getUser: in a text that the compiler does not read",
      "src/a.tsx:2 getUser: in a comment",
      "src/a.tsx:3 getUser: in a comment",
      "src/a.tsx:4 getUser: a name whose type is not known: it may be the same thing",
      "src/a.tsx:5 getUser: a property that is read by a string",
      "src/a.tsx:6 getUser: in a template string",
      "src/a.tsx:7 getUser: in the string of an attribute",
      "src/a.tsx:7 getUser: in the text of an element",
      "src/a.tsx:8 getUser: in a regular expression",
    ]);
  });

  it("follows CommonJS to those who require it", async () => {
    const made = await rename(
      {
        "u.js": "function getUser() {}\nmodule.exports = { getUser, other: 1 };\n",
        "a.js": 'const { getUser } = require("./u");\ngetUser();\nrequire("./u").getUser();\n',
        "b.mjs": 'import { getUser } from "./u.js";\ngetUser();\n',
      },
      { file: "u.js", symbol: "getUser", to: "fetchUser" },
    );
    expect(changedBy(made)).toEqual({
      "u.js": "function fetchUser() {}\nmodule.exports = { fetchUser, other: 1 };\n",
      "a.js": 'const { fetchUser } = require("./u");\nfetchUser();\nrequire("./u").fetchUser();\n',
      "b.mjs": 'import { fetchUser } from "./u.js";\nfetchUser();\n',
    });
  });

  it("follows a global from script to script", async () => {
    const texts = { "a.js": "function boot() {}\n", "b.js": "boot();\n" };
    expect(changedBy(await rename(texts, { file: "a.js", symbol: "boot", to: "start" }))).toEqual({
      "a.js": "function start() {}\n",
      "b.js": "start();\n",
    });
  });

  it("tells members apart: static or not, private, of an interface and of all that hold to it", async () => {
    const texts = {
      ...library,
      "src/a.ts":
        "export class A {\n  static run() {}\n  #p = 1;\n  run() { return this.#p; }\n}\nexport class B extends A {\n  override run() { return 2; }\n}\nexport interface I { name: string }\n",
      "src/b.ts":
        'import { A, B, type I } from "./a.js";\nA.run();\nnew B().run();\nfunction f({ name }: I) { return name; }\nf({ name: "x" });\n',
    };
    const one = changedBy(await rename(texts, { file: "src/a.ts", symbol: "A.prototype.run", to: "go" }));
    expect(one["src/b.ts"]).toContain("A.run();\nnew B().go();");
    expect(one["src/a.ts"]).toContain("static run() {}");
    expect(one["src/a.ts"]).toContain("override go()");
    const other = changedBy(await rename(texts, { file: "src/a.ts", symbol: "A.static.run", to: "go" }));
    expect(other["src/b.ts"]).toContain("A.go();\nnew B().run();");
    const hidden = changedBy(await rename(texts, { file: "src/a.ts", symbol: "A.#p", to: "#q" }));
    expect(hidden["src/a.ts"]).toContain("#q = 1;\n  run() { return this.#q; }");
    const field = changedBy(await rename(texts, { file: "src/a.ts", symbol: "I.name", to: "title" }));
    expect(field["src/b.ts"]).toContain('function f({ title }: I) { return title; }\nf({ title: "x" });');
    expect(await refusalOf(texts, { file: "src/a.ts", symbol: "A.run", to: "go" })).toContain("lines 2, 4");
  });

  it("renames a default export, and the imports that call it so", async () => {
    const made = await rename(
      {
        "a.ts": "export default function getUser() {}\n",
        "b.ts": 'import getUser from "./a";\nimport own from "./a";\ngetUser(own());\n',
      },
      { file: "a.ts", symbol: "default", to: "fetchUser" },
    );
    expect(changedBy(made)["b.ts"]).toBe('import fetchUser from "./a";\nimport own from "./a";\nfetchUser(own());\n');
  });

  it("finds callers in other packages of the repository, built or not, and through solution-style settings", async () => {
    const texts: Texts = {
      "tsconfig.json": '{ "files": [], "references": [{ "path": "packages/core" }, { "path": "packages/app" }] }',
      "packages/core/package.json": '{ "name": "@acme/core", "exports": { ".": "./dist/index.js" } }',
      "packages/core/tsconfig.json":
        '{ "compilerOptions": { "composite": true, "outDir": "dist", "rootDir": "src" }, "include": ["src"] }',
      "packages/core/src/index.ts": 'export * from "./user";\n',
      "packages/core/src/user.ts": "export const getUser = 1;\n",
      "packages/app/tsconfig.json":
        '{ "compilerOptions": { "composite": true }, "include": ["src"], "references": [{ "path": "../core" }] }',
      "packages/app/src/main.ts": 'import { getUser } from "@acme/core";\ngetUser;\n',
      "packages/app/test/main.test.ts": 'import { getUser } from "../../core/src/user";\ngetUser;\n',
    };
    const asked = { file: "packages/core/src/user.ts", symbol: "getUser", to: "fetchUser" };
    const changed = changedBy(await rename(texts, asked));
    expect(Object.keys(changed)).toEqual([
      "packages/app/src/main.ts",
      "packages/app/test/main.test.ts",
      "packages/core/src/user.ts",
    ]);
    expect(changedBy(await rename(texts, { ...asked, tsconfig: "tsconfig.json" }))).toEqual(changed);
    const built = {
      "packages/core/dist/index.d.ts": "export declare const getUser = 1;\n",
      "packages/core/dist/index.js": "",
    };
    expect(changedBy(await rename({ ...texts, ...built }, asked))).toEqual(changed);
  });

  it("refuses settings that do not hold the file, empty ones without a way on, and files of nobody", async () => {
    const asked = { file: "src/user.ts", symbol: "getUser", to: "fetchUser" };
    const empty = { ...library, "tsconfig.json": '{ "files": [], "references": [{ "path": "lib" }] }' };
    const referred = { ...empty, "lib/tsconfig.json": "{}", "lib/a.ts": "" };
    expect(await refusalOf(referred, asked)).toContain("nor any of the 1 it refers to (lib/tsconfig.json)");
    expect(await refusalOf(referred, { ...asked, tsconfig: "lib/tsconfig.json" })).toContain("does not hold");
    expect(await refusalOf(library, { ...asked, tsconfig: "none.json" })).toContain('there is no "none.json"');
    expect(await refusalOf(library, { ...asked, file: "src/nobody.ts" })).toContain("split: none");
    const broken = { ...library, "own.json": '{ "include": [' };
    expect(await refusalOf(broken, { ...asked, tsconfig: "own.json" })).toContain("own.json: ");
  });

  it.each([
    [
      "hides it where it is used",
      { "src/a.ts": 'import { getUser } from "./user.js";\n{ const fetchUser = 1; getUser(fetchUser); }' },
    ],
    [
      "would be taken for it",
      { "src/user.ts": "let getUser = 1;\nlet fetchUser = 2;\nfetchUser;\ngetUser;\nexport {};\n" },
    ],
    ["is declared twice then", { "src/user.ts": "let getUser = 1;\nlet fetchUser = 2;\nexport {};\n" }],
    [
      "is in the way of an import",
      { "src/a.ts": 'import { getUser } from "./user.js";\nconst fetchUser = 1;\ngetUser(fetchUser);' },
    ],
  ])("refuses a name that %s", async (_, more: Texts) => {
    const asked = { file: "src/user.ts", symbol: "getUser", to: "fetchUser" };
    expect(await refusalOf({ ...library, ...more }, asked)).toContain('"getUser" cannot become "fetchUser"');
  });

  it("refuses that a member takes the place of another one, of a subclass too", async () => {
    const texts = {
      ...library,
      "src/a.ts": "export class A { run() {} }\n",
      "src/b.ts": 'import { A } from "./a.js";\nexport class B extends A { go() {} }\n',
    };
    expect(await refusalOf(texts, { file: "src/a.ts", symbol: "A.run", to: "go" })).toContain("src/b.ts:2");
  });

  it("keeps a local name where the new one is taken", async () => {
    const made = await rename(
      {
        ...library,
        "src/a.ts":
          'import * as all from "./user.js";\nconst fetchUser = 1;\nconst { getUser } = all;\ngetUser(fetchUser);\n',
      },
      { file: "src/user.ts", symbol: "getUser", to: "fetchUser" },
    );
    expect(changedBy(made)["src/a.ts"]).toContain("const { fetchUser: getUser } = all;\ngetUser(fetchUser);");
  });

  it.each([
    ["what it does not declare", "nothing", "go", 'declares no "nothing"; it declares getUser, find'],
    ["a reserved word", "getUser", "class", "reserved word"],
    ["its own name", "getUser", "getUser", "that name already"],
    ["a private name for what is not", "getUser", "#user", "is not private"],
  ])("refuses %s", async (_, symbol, to, said) => {
    expect(await refusalOf(library, { file: "src/user.ts", symbol, to })).toContain(said);
  });

  it("refuses what an import brings and what TypeScript itself declares", async () => {
    const texts = {
      ...library,
      "src/a.ts":
        'import { getUser } from "./user.js";\ngetUser();\nexport class It implements Iterator<number> {\n  next() { return { done: true as const, value: 1 }; }\n}\n',
    };
    expect(await refusalOf(texts, { file: "src/a.ts", symbol: "getUser", to: "go" })).toContain(
      "imports it from src/user.ts",
    );
    expect(await refusalOf(texts, { file: "src/a.ts", symbol: "It.next", to: "go" })).toContain(
      "TypeScript's own lib.",
    );
  });

  it.each([
    [{ file: "../a.ts" }, "no path inside the repository"],
    [{ symbol: "a b" }, "no name of a symbol"],
    [{ to: "a.b" }, "no name that JavaScript can have"],
  ])("is refused before anything runs when it says %o", async (wrong, said) => {
    const recipe = { name: "rename-symbol", file: "a.ts", symbol: "a", to: "b", ...wrong } as const;
    await expect(compileRecipe(recipe)).rejects.toThrow(said);
  });

  it("agrees with another compiler on published sources", async () => {
    const folder = join(import.meta.dirname, "../../node_modules/@grpc/grpc-js");
    const texts: Texts = {
      ...textsBelow(folder, (path) => /^src\/.*\.ts$/.test(path)),
      "tsconfig.json":
        '{ "compilerOptions": { "module": "commonjs", "target": "es2020", "strict": true, "types": [], "skipLibCheck": true }, "include": ["src"] }',
    };
    const asked = { file: "src/metadata.ts", symbol: "Metadata", to: "Headers" };
    const made = await rename(texts, asked);
    const changed = { ...texts, ...changedBy(made) } as Texts;
    const neutral = (line: string) => line.replaceAll("Headers", "Metadata");
    expect(Object.keys(changedBy(made)).length).toBeGreaterThan(25);
    expect(complaintsOf(changed, neutral)).toEqual(complaintsOf(texts, neutral));
  });
});
