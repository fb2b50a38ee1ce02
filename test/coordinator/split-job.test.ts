import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AbsentCheck } from "../../src/protocol/check.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Step } from "../../src/protocol/step.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ lookMs: 1_500 });
});
afterAll(() => bench[Symbol.asyncDispose]());

async function run(files: Readonly<Record<string, string>>, more: Partial<JobSpec>) {
  const { repository, spec } = await bench.repository(files);
  const submitted = await bench.coordinator.submit({ spec: { ...spec, ...more }, repository });
  const result = await submitted.done;
  const read = (path: string) =>
    execFileSync("git", ["show", `${result.result_tree}:${path}`], { cwd: repository.gitDir, encoding: "utf8" });
  return { result, read };
}

const rename: Step = {
  kind: "agent",
  agent: {
    name: "rename",
    instructions: "",
    model: { provider: "recipe", recipe: { name: "replace-call", pattern: "before($A)", fix: "after($A)" } },
  },
  prompt: "",
};
const absent = (more: Partial<AbsentCheck> = {}): AbsentCheck => ({
  kind: "absent",
  name: "no before",
  at: "tree",
  absent: "\\bbefore\\(",
  ...more,
});

const monorepo = {
  "package.json": JSON.stringify({ workspaces: ["packages/*"] }),
  "packages/a/package.json": "{}",
  "packages/a/x.js": "before(1)\n",
  "packages/a/y.js": "other(1)\n",
  "packages/b/package.json": "{}",
  "packages/b/x.js": "before(2)\n",
  "packages/c/package.json": "{}",
  "packages/c/x.js": "other(3)\n",
  "packages/c/latin1.js": Buffer.from("// caf\xe9\n", "latin1").toString("latin1"),
};

describe("a job over the packages in which something is found", () => {
  it("needs no sandbox when its checks only look", async () => {
    const { sandbox } = bench.equipment;
    bench.equipment.sandbox = async () => ({ unavailable: "there is none", remedy: "none" });
    const { result } = await run(monorepo, {
      split: { by: "workspace", match: { pattern: "before($A)", language: "JavaScript" } },
      each: [rename],
      checks: [absent({ at: "task", name: "of a task" }), absent()],
    }).finally(() => {
      bench.equipment.sandbox = sandbox;
    });
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    expect(result.tasks.map(({ id, landed }) => [id, landed])).toEqual([
      ["packages-a", true],
      ["packages-b", true],
    ]);
    const checks = result.checks.map(({ name, task, state }) => [name, task, state]);
    expect(checks.sort()).toEqual([
      ["no before", undefined, "passed"],
      ["of a task", "packages-a", "passed"],
      ["of a task", "packages-b", "passed"],
    ]);
  });

  it("does not land when what must be absent is still there, and says where", async () => {
    const { result } = await run(
      { ...monorepo, "notes.txt": "call\n  before(4)\n" },
      { split: { by: "files", match: { regex: "before\\(", glob: "*.js" } }, each: [rename], checks: [absent()] },
    );
    expect(result).toMatchObject({ outcome: "failed", exit_code: 1, result_tree: null });
    expect(result.checks).toMatchObject([
      { state: "failed", failing: ["notes.txt:2:3: before(4)"], detail: expect.stringContaining("1 place in 1 of") },
    ]);
  });
});

describe("a job over findings", () => {
  const lint = `#!/bin/sh
printf '['; sep=''
for f in *.js; do
  n=$(grep -c bad $f)
  printf '%s{"filePath":"%s/%s","messages":[' "$sep" "$PWD" $f; sep=','
  [ $n -gt 0 ] && printf '{"ruleId":"no-bad","severity":2,"message":"bad","line":1,"column":1}'
  printf ']}'
done
printf ']'; ! grep -q bad *.js
`;
  const files = { "lint.sh": lint, "a.js": "bad\n", "b.js": "good\n", "c.js": "bad\n" };
  const check = commandCheck("sh lint.sh", { name: "lint", parse: "eslint", expect: "fewer" });
  const mend = (...words: string[]): Step => ({
    kind: "command",
    run: ["sed", "-i", ...words, `\${{ task.files }}`],
    may_fail: false,
    timeout_ms: 10_000,
  });

  it("makes tasks of them, and lands when fewer are left", async () => {
    const split = { by: "findings", of: "lint", files: 1 } as const;
    const { result, read } = await run(files, { split, each: [mend("s/bad/good/")], checks: [check] });
    expect(result).toMatchObject({
      outcome: "succeeded",
      checks: [{ state: "passed", detail: "2 findings at the base, green now" }],
    });
    expect(result.tasks).toHaveLength(2);
    expect([read("a.js"), read("c.js")]).toEqual(["good\n", "good\n"]);
    const some = await run(files, { split, each: [mend("s/bad/good/")], checks: [check], sample: 1 });
    expect(some.result).toMatchObject({
      outcome: "succeeded",
      checks: [{ state: "passed", detail: "1 finding, 2 at the base", new_failures: 0, base_failures: 2 }],
    });
  });

  it("has nothing to do where nothing is found, and ends where the check cannot be read", async () => {
    const split = { by: "findings", of: "lint" } as const;
    const clean = { ...files, "a.js": "good\n", "c.js": "good\n" };
    expect((await run(clean, { split, each: [mend("s/x/y/")], checks: [check] })).result.outcome).toBe("no_changes");
    const broken = { ...check, run: "echo no report" };
    const { result } = await run(files, { split, each: [mend("s/x/y/")], checks: [broken] });
    expect(result).toMatchObject({ outcome: "error", exit_code: 65 });
    expect(result.reason?.message).toMatch(/findings of "lint" at the base cannot be read: it is no JSON/);
  });
});

describe("an expression that never ends", () => {
  const hostile = { "a.js": `${"a".repeat(60)}!\n` };

  it("ends the job that splits by it, not the process", async () => {
    const { result } = await run(hostile, { split: { by: "match", match: { regex: "^(a+)+$" } }, each: [rename] });
    expect(result).toMatchObject({ outcome: "error", exit_code: 65 });
    expect(result.reason?.message).toMatch(/split.match: the regular expression .* "a.js"/);
  });

  it("is a red check where it was to be absent", async () => {
    const { result } = await run(hostile, { checks: [absent({ absent: "^(a+)+$" })], each: [rename] });
    expect(result.checks).toMatchObject([{ state: "failed", detail: expect.stringContaining('"a.js"') }]);
  });
});
