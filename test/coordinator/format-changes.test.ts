import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planFormat } from "../../src/coordinator/landing/format-plan.ts";
import type { Recipe } from "../../src/protocol/agent.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Step } from "../../src/protocol/step.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

const modules = join(import.meta.dirname, "../../node_modules");

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ read: [modules] });
});
afterAll(() => bench[Symbol.asyncDispose]());

function recipeStep(recipe: Recipe): Step {
  return {
    kind: "agent",
    agent: { name: recipe.name, instructions: "", model: { provider: "recipe", recipe } },
    prompt: "",
  };
}

const nodeProtocol = recipeStep({ name: "node-protocol" });

async function run(files: Readonly<Record<string, string>>, more: Partial<JobSpec>) {
  const { repository, spec } = await bench.repository(files);
  const submitted = await bench.coordinator.submit({ spec: { ...spec, ...more }, repository });
  const result = await submitted.done;
  const git = (...args: string[]) =>
    execFileSync("git", ["--git-dir", repository.gitDir, ...args], { encoding: "utf8", stdio: "pipe" });
  const show = (path: string) => git("show", `${result.result_commit}:${path}`);
  const modeOf = (path: string) => git("ls-tree", `${result.result_commit}`, path).slice(0, 6);
  return { result, show, modeOf };
}

/** A setup that brings the real formatter, as an install would. */
function installing(programs: readonly string[]) {
  const links = programs.map((name) => `ln -s ${join(modules, ".bin", name)} node_modules/.bin/${name}`);
  return { run: ["mkdir -p node_modules/.bin", ...links].join(" && "), timeout_ms: 60_000 };
}

const messy = "const   fs = require('fs')\nmodule.exports = fs\n";
const ignored = { ".gitignore": "node_modules\n" };

describe("the repository's own formatter", () => {
  it("is the last thing that happens to what a recipe changed, and to nothing else", async () => {
    const files = { ...ignored, "biome.json": "{}\n", "a.js": messy, "b.js": "const   untouched = 1\n" };
    const { result, show } = await run(files, { each: [nodeProtocol], setup: installing(["biome"]) });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
    expect(result.tasks[0]?.summary).toContain("Formatted by biome.");
    expect(show("a.js")).toBe('const fs = require("node:fs");\nmodule.exports = fs;\n');
    expect(show("b.js")).toBe(files["b.js"]);
  });

  it.each([
    ["there is no setup", {}, "the job has no setup that would install it"],
    [
      "the setup does not bring it",
      { setup: { run: "true", timeout_ms: 60_000 } },
      "did not install ./node_modules/.bin/biome",
    ],
  ])("is missed, and the task says so, when %s", async (_, more, said) => {
    const files = { ...ignored, "biome.json": "{}\n", "a.js": messy };
    const { result, show } = await run(files, { each: [nodeProtocol], ...more });
    expect(result.outcome).toBe("succeeded");
    expect(show("a.js")).toContain("const   fs = require('node:fs')");
    expect(result.tasks[0]?.leftovers).toMatchObject([{ path: "a.js", reason: expect.stringContaining(said) }]);
  });

  it("is left out where the job says so, and where nothing was changed", async () => {
    const files = { ...ignored, "biome.json": "{}\n", "a.js": messy };
    const off = await run(files, { each: [nodeProtocol], format: false });
    expect(off.result.tasks[0]?.leftovers).toBeUndefined();
    const idle = await run({ ...files, "a.js": "1\n" }, { each: [nodeProtocol] });
    expect(idle.result).toMatchObject({ outcome: "no_changes", tasks: [{ state: "no_changes" }] });
  });

  it("cannot write elsewhere, and fails no task", async () => {
    const setup = {
      run: "mkdir -p node_modules/.bin && printf '#!/bin/sh\\necho formatted > a.js; echo stray > stray.txt\\n' > node_modules/.bin/prettier && chmod +x node_modules/.bin/prettier",
      timeout_ms: 60_000,
    };
    const { result, show } = await run(
      { ...ignored, ".prettierrc": "{}\n", "a.js": messy },
      { each: [nodeProtocol], setup },
    );
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
    expect(show("a.js")).toBe("formatted\n");
    expect(() => show("stray.txt")).toThrow();
  });
});

describe("planFormat", () => {
  const plan = (files: Readonly<Record<string, string>>, changed: readonly string[]) =>
    planFormat(changed, { has: (path) => path in files, text: (path) => files[path] }).map(
      ({ name, config, files: own, commands }) => [name, config, own.join(" "), commands[0]?.[0]],
    );

  it("asks the settings nearest to a file, and the program beside them first", () => {
    const files = { "biome.json": "{}", "packages/a/.prettierrc": "{}", "tools/pyproject.toml": "[tool.black]\n" };
    expect(plan(files, ["x.ts", "packages/a/y.ts", "packages/b/z.ts", "tools/t.py", "t.py", "README"])).toEqual([
      ["biome", "biome.json", "x.ts packages/b/z.ts", "./node_modules/.bin/biome"],
      ["prettier", "packages/a/.prettierrc", "packages/a/y.ts", "./packages/a/node_modules/.bin/prettier"],
      ["black", "tools/pyproject.toml", "tools/t.py", "./tools/.venv/bin/python"],
    ]);
  });

  it("tells a setting from a dependency, and a formatter that is off", () => {
    const depends = JSON.stringify({ devDependencies: { prettier: "3.0.0" } });
    expect(plan({ "package.json": depends }, ["a.js"])).toEqual([]);
    expect(plan({ "package.json": JSON.stringify({ prettier: "@acme/style" }) }, ["a.js"])).toHaveLength(1);
    const off = '{ "formatter": { "enabled": false } }';
    expect(plan({ "biome.json": off, "prettier.config.mjs": "" }, ["a.js"])[0]?.[0]).toBe("prettier");
    expect(plan({ "go.mod": "", "Cargo.toml": "" }, ["a.go", "b.rs"])).toEqual([
      ["gofmt", "go.mod", "a.go", undefined],
      ["rustfmt", "Cargo.toml", "b.rs", undefined],
    ]);
  });
});

describe("recipes about a program", () => {
  const files = {
    "package.json": "{}\n",
    "src/user.js": "exports.getUser = () => 1;\n",
    "src/main.js": 'const { getUser } = require("./user");\ngetUser();\n',
  };

  it("run in a thread, and land as edits, as a file that is gone, and as one that is new and as executable", async () => {
    const executable: Step = { kind: "command", run: "chmod +x src/user.js", may_fail: false, timeout_ms: 60_000 };
    const rename = recipeStep({ name: "rename-symbol", symbol: "getUser", to: "fetchUser", file: "src/user.js" });
    const move = recipeStep({ name: "move-file", from: "src/user.js", to: "src/people/user.js" });
    const { result, show, modeOf } = await run(files, { each: [executable, rename, move] });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ state: "succeeded" }] });
    expect(show("src/main.js")).toBe('const { fetchUser } = require("./people/user");\nfetchUser();\n');
    expect(show("src/people/user.js")).toBe("exports.fetchUser = () => 1;\n");
    expect(modeOf("src/people/user.js")).toBe("100755");
    expect(() => show("src/user.js")).toThrow();
  });

  it("change nothing where they may not change everything", async () => {
    const rename = recipeStep({ name: "rename-symbol", symbol: "getUser", to: "fetchUser", file: "src/user.js" });
    const deny = [{ id: "Edit(src/main.js)", tool: "Edit", paths: { glob: "/src/main.js" } }] as const;
    const { result } = await run(files, { each: [rename], permissions: { allow: [], deny: [...deny] } });
    expect(result).toMatchObject({ outcome: "failed", result_commit: null });
    expect(result.tasks[0]?.reason?.message).toContain("src/main.js may not be edited");
    const { result: apart } = await run(files, { each: [rename], split: { by: "files", files: 1 } });
    expect(apart.tasks.find((task) => task.reason?.message.includes("split: none"))).toBeDefined();
  });
});
