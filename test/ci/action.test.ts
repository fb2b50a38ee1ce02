import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { valuesOf } from "../../src/report/ci-files.ts";
import { plainResult } from "../report/results.ts";
import { patience } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";
import { openRunner, type Runner, readAction } from "./action.ts";

describe("the GitHub Action", () => {
  const action = readAction();
  const [install, sandbox, run] = action.runs.steps;

  it("hands every input to a step as a variable, and none of them to a shell as text", () => {
    const used = JSON.stringify(action.runs.steps.map((step) => [step.if, step.env, step["working-directory"]]));
    for (const name of Object.keys(action.inputs)) expect(used).toContain(`inputs.${name}`);
    for (const step of action.runs.steps) {
      expect(step.run).not.toContain("${{");
      for (const name of Object.keys(step.env)) {
        if (name.startsWith("IN_")) expect(step.run).toContain(name);
      }
    }
    expect([install?.id, sandbox?.id, run?.id]).toEqual(["install", "sandbox", "run"]);
    // What the sandbox step calls is part of the action's own source.
    expect(sandbox?.run).toContain('sh "$GITHUB_ACTION_PATH/scripts/install-sandbox.sh"');
    expect(sandbox?.if).toContain("inputs.sandbox == 'bubblewrap'");
  });

  it("has exactly the outputs that sheaf writes", () => {
    expect(Object.keys(action.outputs)).toEqual(valuesOf(plainResult, "/reports").map(([name]) => name));
    for (const [name, { value }] of Object.entries(action.outputs)) {
      expect(value).toBe(`\${{ steps.run.outputs.${name} }}`);
    }
  });
});

/** The steps of the Action by hand, as a runner starts them: one for each way a job can end. */
describe("the Action's steps", { timeout: patience }, () => {
  let ground: Playground;
  let runner: Runner;
  beforeAll(() => {
    ground = playground();
    ground.write("src/a.js", 'const fs = require("fs");\n');
    ground.write("shared.txt", "one\ntwo\nthree\n");
    ground.commit();
    runner = openRunner();
  });
  afterAll(async () => {
    await runner[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  /** JSON is YAML. */
  function jobFile(name: string, job: object): string {
    const file = join(runner.folder, `${name}.yaml`);
    writeFileSync(file, JSON.stringify({ version: 1, ...job }));
    return file;
  }

  function agent(name: string, ...calls: { tool: string; input: object }[]) {
    writeFileSync(join(runner.folder, `${name}.script.yaml`), JSON.stringify([{ say: "::warning::said", calls }]));
    return { model: `scripted/${name}.script.yaml`, prompt: name };
  }

  const write = (file_path: string) => ({ tool: "write", input: { file_path, content: "x\n" } });
  const task = (id: string) => ({ id, writes: [`${id}.txt`], steps: [{ prompt: "go", agent: id }] });
  const each = [{ codemod: "node-protocol" }];
  const external = { sandbox: "external" };
  const nothing = { pattern: "neverCalled($A)", fix: "called($A)" };
  const edit = { tool: "edit", input: { file_path: "shared.txt", old_string: "two", new_string: "zwei" } };
  const clashing = () => ({
    agents: {
      one: agent("one", edit, write("one.txt")),
      two: agent("two", { ...edit, input: { ...edit.input, new_string: "deux" } }),
    },
    tasks: [task("one"), task("two")],
    permissions: { allow: ["Edit(/shared.txt)"] },
  });
  const lost = () => ({ agents: { lost: agent("lost", write("../.npmrc")) }, tasks: [task("lost")] });

  const endings: [outcome: string, code: number, job: () => object, inputs?: Record<string, string>][] = [
    ["succeeded", 0, () => ({ each }), { check: "grep -q node:fs src/a.js\ntest -f shared.txt\n", ...external }],
    ["no_changes", 0, () => ({ each: [{ codemod: nothing }] })],
    ["failed", 1, () => ({ each, checks: ["! grep -q node:fs src/a.js"] }), external],
    ["partial", 10, clashing],
    ["limit", 11, () => ({ each, limits: { idle: "1ms" } })],
    ["blocked", 13, lost],
    ["error", 65, () => ({ each, chekcs: [] })],
    ["error", 78, () => ({ each, checks: ["true"] }), { sandbox: "none" }],
  ];

  it.each(endings)("end as %s with exit %i, in the outputs, the summary and the reports alike", async (...ending) => {
    const [outcome, code, job, inputs = {}] = ending;
    const step = await runner.start({ file: jobFile(`job-${code}`, job()), ...inputs }, ground.user).ended;
    expect(step, step.stderr).toMatchObject({ code, outputs: { outcome, exit_code: String(code) } });
    expect(step.result).toMatchObject({ outcome, exit_code: code });
    expect(step.summary).toContain(`${code === 0 ? "✅" : "❌"} Sheaf: ${outcome} (exit ${code})`);
    expect(step.outputs.result_commit).toBe(step.result?.result_commit ?? "");
    const junit = readFileSync(step.outputs.report_junit ?? "", "utf8");
    expect(/<(?:failure|error) /.test(junit)).toBe(code !== 0);
    for (const { id, patch_file } of step.result?.tasks ?? []) {
      expect(existsSync(join(step.outputs.report_dir ?? "", "patches", `${id}.patch`))).toBe(patch_file !== undefined);
    }
    const [, token] = /^::stop-commands::(\S+)\n/.exec(step.stdout) ?? [];
    expect(step.stdout.endsWith(`\n::${token}::\n`)).toBe(true);
  });

  it("pass the runner's signal on, so that a cancelled workflow keeps what is finished", async () => {
    const file = jobFile("stop", { each, checks: ["trap '' TERM; while :; do sleep 1; done"] });
    const step = runner.start({ file, ...external }, ground.user);
    await step.shows(/check {2}trap/);
    step.child.kill("SIGINT");
    expect(await step.ended).toMatchObject({
      code: 130,
      outputs: { outcome: "cancelled", exit_code: "130" },
      result: { outcome: "cancelled", tasks: [{ state: "succeeded", landed: false }] },
      summary: expect.stringContaining("cancelled"),
    });
  });

  it("make no command of any input", async () => {
    const mean = `x'"; touch pwned; $(touch pwned) \`touch pwned\``;
    const step = await runner.start({ codemod: mean, check: mean, publish: mean, args: mean }, ground.user).ended;
    expect(step).toMatchObject({ code: 64, outputs: {} });
    const refused = await runner.start({ sandbox: "external }\nlog: { level: debug" }, ground.user).ended;
    expect(refused).toMatchObject({ code: 64, stderr: "the input sandbox must be bubblewrap, external or none\n" });
    expect(existsSync(join(ground.user, "pwned"))).toBe(false);
  });
});
