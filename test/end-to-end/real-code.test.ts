import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../src/protocol/result.ts";
import { prefixByHand } from "../support/by-hand.ts";
import { openSheaf, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/**
 * Code that nobody here wrote, as it was published: the tree that comes out is compared with one that another
 * program makes of the same files, byte by byte, and the package's own tests run before and after.
 */
const modules = join(import.meta.dirname, "../../node_modules");
const astGrep = join(modules, ".bin/ast-grep");

let sheaf: Sheaf;
beforeAll(() => {
  sheaf = openSheaf({ settings: `sandbox: ${JSON.stringify({ read: [modules] })}\n`, inProcess: true });
});
afterAll(() => sheaf[Symbol.asyncDispose]());

/** The published files of an installed package under git, with what its tests need beside them. */
function put(name: string, folders: readonly string[], beside: Readonly<Record<string, string>> = {}): Playground {
  const ground = playground({ name: name.replaceAll("/", "-") });
  for (const folder of folders) {
    cpSync(join(modules, name, folder), join(ground.user, folder), {
      recursive: true,
      filter: (path) => !path.slice(join(modules, name).length).includes("node_modules"),
    });
  }
  for (const [path, text] of Object.entries(beside)) ground.write(path, text);
  ground.commit();
  return ground;
}

/** The tree of the same base after `change`, which is given a copy to work on. */
function treeAfter(ground: Playground, change: (folder: string) => void): string {
  const copy = join(ground.folder, "by hand");
  cpSync(ground.user, copy, { recursive: true });
  change(copy);
  ground.gitIn(copy, undefined, "add", "-A");
  const tree = ground.gitIn(copy, undefined, "write-tree").toString().trim();
  rmSync(copy, { recursive: true });
  return tree;
}

/** A command in a checkout beside which the installed packages lie, in a folder that tools may write to. */
const withModules = (command: string) => `mkdir node_modules && ln -s '${modules}'/* node_modules/ && ${command}`;
const vitest = "node node_modules/vitest/vitest.mjs run --root . --no-isolate";

function jobFile(name: string, job: object): string {
  return sheaf.write(`${name}.yaml`, JSON.stringify({ version: 1, ...job }));
}

const nodeProtocol = { each: [{ codemod: "node-protocol" }] };

const filesChanged = (result: Result) => result.tasks.reduce((sum, task) => sum + task.files_changed, 0);

describe("node-protocol over published code gives the tree that the rule gives by hand", () => {
  it("in CommonJS with proxyquire and tap: fastify, which loads and answers as before", async () => {
    await using ground = put("fastify", ["."]);
    // It holds `%HaveSameMap`, which is no JavaScript; the other parser gives up on it.
    const unreadable = "test/same-shape.test.js";
    let changed: string[] = [];
    const tree = treeAfter(ground, (folder) => {
      rmSync(join(folder, unreadable));
      changed = prefixByHand(folder);
      cpSync(join(ground.user, unreadable), join(folder, unreadable));
    });
    const answers = `require("./fastify")().get("/", async () => 1).inject("/").then((one) => process.exit(one.body - 1))`;
    const checks = [withModules(`node -e '${answers}'`)];
    const { result } = await sheaf.job([jobFile("fastify", { ...nodeProtocol, checks }), "--repo", ground.user]);
    expect(result).toMatchObject({ outcome: "succeeded", result_tree: tree, checks: [{ state: "passed" }] });
    expect(filesChanged(result)).toBe(changed.length);
    expect(changed.length).toBeGreaterThan(70);
  });

  it("in TypeScript, whose own tests pass at the base and at the result: tsconfig-paths", async () => {
    await using ground = put("tsconfig-paths", ["src", "package.json"]);
    let changed: string[] = [];
    const tree = treeAfter(ground, (folder) => {
      changed = prefixByHand(folder);
    });
    // Two files of its tests take a `done` callback, which vitest no longer gives.
    const own = withModules(
      `${vitest} --globals --exclude '**/filesystem.test.ts' --exclude '**/match-path-async.test.ts'`,
    );
    const job = { ...nodeProtocol, checks: [{ name: "own tests", run: own }] };
    const { result } = await sheaf.job([jobFile("tsconfig-paths", job), "--repo", ground.user]);
    expect(result).toMatchObject({
      outcome: "succeeded",
      result_tree: tree,
      checks: [{ name: "own tests", state: "passed", new_failures: 0 }],
    });
    expect(filesChanged(result)).toBe(changed.length);
    expect(changed.length).toBeGreaterThan(5);
  });
});

describe("a refactor of one's own over published code", () => {
  it.each([
    {
      recipe: "a pattern and its fix",
      codemod: { pattern: "expect($A).toEqual($B)", fix: "expect($A).toStrictEqual(\n  $B\n)" },
      command: ["run", "-p", "expect($A).toEqual($B)", "-r", "expect($A).toStrictEqual(\n  $B\n)", "-U"],
    },
    { recipe: "a rule file", codemod: { rule: "rules.yml" }, command: ["scan", "-r", "RULES", "-U"] },
  ])("by $recipe gives the tree of the ast-grep command, in any line ending: zod", async ({ codemod, command }) => {
    await using ground = put("zod", ["src/v3"], {
      "vitest.config.mjs":
        'export default { resolve: { alias: { "zod/v3": import.meta.dirname + "/src/v3/index.ts" } } };\n',
    });
    otherEndings(ground);
    const file = sheaf.write("rules.yml", rules);
    const tree = treeAfter(ground, (folder) => {
      const words = command.map((word) => (word === "RULES" ? file : word));
      execFileSync(astGrep, [...words, "src"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    });
    const own = withModules(
      `${vitest} src/v3/tests/string.test.ts src/v3/tests/record.test.ts src/v3/tests/refine.test.ts`,
    );
    const job = { each: [{ codemod }], checks: [{ name: "own tests", run: own }] };
    const { result } = await sheaf.job([jobFile("zod", job), "--repo", ground.user]);
    expect(result).toMatchObject({
      outcome: "succeeded",
      result_tree: tree,
      checks: [{ name: "own tests", state: "passed", new_failures: 0 }],
    });
    expect(filesChanged(result)).toBeGreaterThan(3);
  });
});

const rules = `id: strict-undefined
language: TypeScript
rule: { pattern: typeof $A === "undefined", not: { inside: { kind: if_statement, stopBy: neighbor } } }
constraints: { A: { kind: identifier } }
fix: $A === undefined
---
id: issue
language: TypeScript
rule: { pattern: "addIssueToContext($CTX, { $$$FIELDS })", inside: { kind: expression_statement } }
constraints: { CTX: { regex: ^ctx$ } }
fix: |-
  addIssueToContext(
    $CTX,
    { $$$FIELDS },
  )
---
id: equal
language: TypeScript
files: ["src/v3/tests/**"]
rule: { pattern: "expect($A).toEqual($B)" }
constraints: { B: { kind: string } }
fix: expect($A).toBe($B)
`;

/** Every third file with carriage returns, every third with a byte order mark, as other editors would save it. */
function otherEndings(ground: Playground): void {
  const files = ground.git("ls-files", "src").split("\n");
  for (const [index, file] of files.entries()) {
    const text = ground.read(file).toString();
    if (index % 3 === 1) ground.write(file, text.replaceAll("\n", "\r\n"));
    if (index % 3 === 2) ground.write(file, `\uFEFF${text.trimEnd()}`);
  }
  ground.commit();
}
