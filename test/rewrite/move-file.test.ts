import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileRecipe } from "../../src/rewrite/engine.ts";
import type { ProgramRewrite } from "../../src/rewrite/program-recipe.ts";
import { complaintsOf } from "./compiler.ts";
import { changedBy, type Texts, textsBelow, viewOf } from "./program-view.ts";

async function move(texts: Texts, from: string, to: string, tsconfig?: string): Promise<ProgramRewrite> {
  const named = tsconfig === undefined ? {} : { tsconfig };
  return (await compileRecipe({ name: "move-file", from, to, ...named })).plan(viewOf(texts));
}

async function refusalOf(texts: Texts, from: string, to: string, tsconfig?: string): Promise<string> {
  const made = await move(texts, from, to, tsconfig);
  if (!("refused" in made)) throw new Error(`it was done: ${JSON.stringify(changedBy(made))}`);
  return made.refused;
}

function reasonsOf(made: ProgramRewrite): string[] {
  return (made.leftovers ?? []).map(({ path, line, text, reason }) => `${path}:${line} ${text}: ${reason}`);
}

/** The files as they are afterwards. */
function afterwards(texts: Texts, made: ProgramRewrite): Texts {
  const all = { ...texts, ...changedBy(made) };
  return Object.fromEntries(Object.entries(all).flatMap(([path, text]) => (text === null ? [] : [[path, text]])));
}

const modules: Texts = {
  "package.json": '{ "type": "module", "exports": { ".": "./dist/user.js", "./raw": "./src/user.ts" } }\n',
  "tsconfig.json":
    '{\n  "compilerOptions": { "module": "nodenext", "lib": ["es5"] },\n  "files": ["src/main.ts", "./src/user.ts"]\n}\n',
  "src/user.ts":
    'import { one } from "./one.js";\nimport type { Two } from "../two.js";\nexport const user: Two = one;\nnew URL("./data.bin", import.meta.url);\n',
  "src/one.ts": "export const one = 1;\n",
  "two.ts": "export type Two = number;\n",
  "src/data.bin": "data",
};

describe("move-file", () => {
  it("mends every form of import, mocks, settings, and its own imports, each in the manner it was written", async () => {
    const made = await move(
      {
        ...modules,
        "src/main.ts":
          "import { user } from './user.js'\nexport * from \"./user.js\";\nimport('./user.js'); type T = typeof import(\"./user.js\");\nuser;\n",
        "test/user.test.ts":
          'import "../src/user.js";\nvi.mock("../src/user.js", () => ({}));\nrequire.resolve("../src/user.js");\n',
        "src/augment.ts": 'export {};\ndeclare module "./user.js" {\n  const more: 1;\n}\n',
      },
      "src/user.ts",
      "src/people/person.ts",
    );
    expect(changedBy(made)).toEqual({
      "src/main.ts":
        "import { user } from './people/person.js'\nexport * from \"./people/person.js\";\nimport('./people/person.js'); type T = typeof import(\"./people/person.js\");\nuser;\n",
      "test/user.test.ts":
        'import "../src/people/person.js";\nvi.mock("../src/people/person.js", () => ({}));\nrequire.resolve("../src/people/person.js");\n',
      "src/augment.ts": 'export {};\ndeclare module "./people/person.js" {\n  const more: 1;\n}\n',
      "tsconfig.json":
        '{\n  "compilerOptions": { "module": "nodenext", "lib": ["es5"] },\n  "files": ["src/main.ts", "./src/people/person.ts"]\n}\n',
      "src/user.ts": null,
      "src/people/person.ts":
        'import { one } from "../one.js";\nimport type { Two } from "../../two.js";\nexport const user: Two = one;\nnew URL("../data.bin", import.meta.url);\n',
    });
    expect(reasonsOf(made)).toEqual([
      "src/people/person.ts:4 import.meta.url: it asks where it lies, and lies elsewhere now",
      "package.json:1 ./dist/user.js: may be what is built of the file",
      "package.json:1 ./src/user.ts: leads to the file",
    ]);
  });

  it("lists texts that lead to the file: documents, scripts, strings of sources", async () => {
    const made = await move(
      {
        ...modules,
        "README.md": "See [it](src/user.ts), not src/users.ts or other/user.ts.\n",
        "docs/it.md": "Written in ../src/user.ts.\n",
        "run.sh": "node src/user.ts\n",
        "src/main.ts": 'const path = "./user.ts"; // src/user.ts\n',
      },
      "src/user.ts",
      "src/person.ts",
    );
    const found = reasonsOf(made).filter((each) => !/^(?:package|src\/person)/.test(each));
    expect(found).toEqual([
      "README.md:1 src/user.ts: leads to the file",
      "docs/it.md:1 ../src/user.ts: leads to the file",
      "run.sh:1 src/user.ts: leads to the file",
      "src/main.ts:1 ./user.ts: a string or a comment that leads to the file",
      "src/main.ts:1 src/user.ts: a string or a comment that leads to the file",
    ]);
  });

  it("keeps short names of folders short, in CommonJS too", async () => {
    const texts = {
      "lib/index.js": 'const { x } = require("./x");\nexports.y = x;\n',
      "lib/x.js": "exports.x = 1;\n",
      "main.js":
        'require("./lib"); require("./lib/"); require("./lib/index"); require("./lib/index.js"); jest.mock("./lib");\n',
    };
    expect(changedBy(await move(texts, "lib/index.js", "lib/core/index.js"))).toEqual({
      "lib/core/index.js": 'const { x } = require("../x");\nexports.y = x;\n',
      "lib/index.js": null,
      "main.js":
        'require("./lib/core"); require("./lib/core"); require("./lib/core/index"); require("./lib/core/index.js"); jest.mock("./lib/core");\n',
    });
  });

  it("follows the aliases of settings, and leaves what a package calls its own to its manifest", async () => {
    const aliased = {
      "tsconfig.json":
        '{ "compilerOptions": { "module": "esnext", "moduleResolution": "bundler", "paths": { "@/*": ["./src/*"], "@user": ["./src/lib/user.ts"] } }, "include": ["src"] }',
      "src/lib/user.ts": 'import { z } from "@/z";\nexport const user = z;\n',
      "src/z.ts": "export const z = 1;\n",
      "src/a.ts": 'import { user } from "@/lib/user";\nimport { user as same } from "./lib/user";\nuser; same;\n',
    };
    const changed = changedBy(await move(aliased, "src/lib/user.ts", "src/people/person.ts"));
    expect(changed["src/a.ts"]).toBe(
      'import { user } from "@/people/person";\nimport { user as same } from "./people/person";\nuser; same;\n',
    );
    expect(changed["src/people/person.ts"]).toBe(aliased["src/lib/user.ts"]);
    expect(changed["tsconfig.json"]).toContain('"@user": ["./src/people/person.ts"]');
    const packages = {
      "core/package.json": '{ "name": "@acme/core", "exports": { "./user": "./dist/user.js" } }',
      "core/src/user.ts": "export const user = 1;\n",
      "app/main.ts": 'import { user } from "@acme/core/user";\nuser;\n',
    };
    const made = await move(packages, "core/src/user.ts", "core/src/person.ts");
    expect(Object.keys(changedBy(made))).toEqual(["core/src/user.ts", "core/src/person.ts"]);
    expect(reasonsOf(made).join("\n")).toContain('"@acme/core/user" leads nowhere, not to core/src/person.ts');
  });

  it("moves to another extension, to a name of another case, and what is no source", async () => {
    const main = { ...modules, "src/main.ts": 'import { user } from "./user.js";\nuser;\n' };
    const renamed = changedBy(await move(main, "src/user.ts", "src/User.ts"));
    expect(renamed["src/main.ts"]).toContain('"./User.js"');
    expect(renamed["src/user.ts"]).toBeNull();
    expect(changedBy(await move(main, "src/user.ts", "src/user.mts"))["src/main.ts"]).toContain('"./user.mjs"');
    const data = { "a.ts": 'import value from "./value.json";\nvalue;\n', "value.json": "{}\n" };
    expect(changedBy(await move(data, "value.json", "data/value.json"))["a.ts"]).toContain('"./data/value.json"');
  });

  it("keeps the bytes of what it does not write: marks, line ends, the executable bit", async () => {
    const texts = { "a.js": "\uFEFF#!/usr/bin/env node\r\nrequire('./b') // \u{1F600}\r\nx", "b.js": "" };
    const view = viewOf(texts, {
      read: async (path) => ({ bytes: Buffer.from(texts[path as "a.js"]), isExecutable: path === "a.js" }),
    });
    const made = await (await compileRecipe({ name: "move-file", from: "a.js", to: "bin/a.js" })).plan(view);
    expect(changedBy(made)["bin/a.js"]).toBe(texts["a.js"].replace("./b", "../b"));
    expect("moved" in made && made.moved?.isExecutable).toBe(true);
  });

  it.each([
    ["src/user.ts", "src/one.ts", "is there already"],
    ["src/user.ts", "src", "is a folder"],
    ["src/user.ts", "src/one.ts/user.ts", '"src/one.ts" is a file'],
    ["src/nobody.ts", "src/x.ts", "split: none"],
    ["src", "lib", "split: none"],
  ])("refuses %s -> %s", async (from, to, said) => {
    expect(await refusalOf(modules, from, to)).toContain(said);
  });

  it("refuses settings that do not hold the file, and paths that leave the repository", async () => {
    const texts = { ...modules, "lib/tsconfig.json": "{}", "lib/a.ts": "" };
    expect(await refusalOf(texts, "src/user.ts", "src/x.ts", "lib/tsconfig.json")).toContain("does not hold");
    await expect(compileRecipe({ name: "move-file", from: "a.ts", to: "../a.ts" })).rejects.toThrow(
      "inside the repository",
    );
    await expect(compileRecipe({ name: "move-file", from: "a.ts", to: "a.ts" })).rejects.toThrow("the same path");
  });

  it("agrees with another compiler on published sources, and is undone by its reverse", async () => {
    const folder = join(import.meta.dirname, "../../node_modules/@grpc/grpc-js");
    const texts: Texts = {
      ...textsBelow(folder, (path) => /^src\/.*\.ts$/.test(path)),
      "tsconfig.json":
        '{ "compilerOptions": { "module": "commonjs", "target": "es2020", "strict": true, "types": [], "skipLibCheck": true }, "include": ["src"] }',
    };
    const made = await move(texts, "src/metadata.ts", "src/core/headers/metadata.ts");
    const changed = afterwards(texts, made);
    const neutral = (line: string) => line.replace("core/headers/", "").replace(/from|'\.[^']*'/g, "");
    expect(Object.keys(changedBy(made)).length).toBeGreaterThan(25);
    expect(complaintsOf(changed, neutral)).toEqual(complaintsOf(texts, neutral));
    expect(afterwards(changed, await move(changed, "src/core/headers/metadata.ts", "src/metadata.ts"))).toEqual(texts);
  });
});
