import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codemodJob, readJobFile } from "../../src/job/read-job-file.ts";
import { resolveJob, resolveOrder } from "../../src/job/resolve-job.ts";
import type { Overrides } from "../../src/job/resolve-overrides.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { jobSpec } from "../../src/protocol/job.ts";
import { commandCheck, newBranch } from "../support/job.ts";

let cwd = "";
const rule = "id: no-var\nlanguage: js\nrule: { pattern: var $A = $B }\nfix: let $A = $B\n";
const base = { repository: "/r", ref: "HEAD", commit: "c".repeat(40), tree: "t".repeat(40), is_dirty: false };

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "sheaf-resolve-"));
  await mkdir(join(cwd, "jobs/rules"), { recursive: true });
  await writeFile(join(cwd, "jobs/rules/no-var.yml"), rule);
  await writeFile(join(cwd, "jobs/rules/broken.yml"), "id: x\nlanguage: js\nrule: { pattern: 'foo(((' }\nfix: bar\n");
  await writeFile(join(cwd, "jobs/rules/twice.yml"), "id: x\nid: y\n");
  await writeFile(join(cwd, "jobs/fix.yaml"), "- say: hello\n- calls: [{ tool: submit, input: { summary: done } }]\n");
  await writeFile(join(cwd, "jobs/bad-fix.yaml"), "- say: hello\n  cals: []\n");
  await symlink("fix.yaml", join(cwd, "jobs/link.yaml"));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

async function resolved(text: string, overrides: Overrides = {}, file = "jobs/My job!.yaml") {
  await writeFile(join(cwd, file), `version: 1\n${text}`);
  return resolveJob(await readJobFile(file, { cwd }), { base, cwd, overrides });
}

async function fault(text: string, overrides: Overrides = {}): Promise<Fault> {
  const thrown: unknown = await resolved(text, overrides, "jobs/x.yaml").catch((error: unknown) => error);
  if (thrown instanceof Fault) return thrown;
  throw new Error(`not refused: ${text}`);
}

describe("a job", () => {
  it("gets its name from its file and every default from the design", async () => {
    expect(await resolved("each: [{ codemod: node-protocol }]\nchecks: [npm test, npm test]")).toEqual({
      name: "My-job",
      base,
      inputs: {},
      split: { by: "files" },
      before: [],
      after: [],
      each: [
        {
          kind: "agent",
          agent: {
            name: "node-protocol",
            model: { provider: "recipe", recipe: { name: "node-protocol" } },
            instructions: "",
          },
          prompt: "",
        },
      ],
      tasks: [],
      checks: [
        commandCheck("npm test", { timeout_ms: 900_000 }),
        commandCheck("npm test", { name: "npm test (2)", timeout_ms: 900_000 }),
      ],
      permissions: { allow: [], deny: [] },
      land: "green",
      publish: { kind: "none" },
      limits: { time_ms: 2_700_000, idle_ms: 300_000 },
      written: { version: 1, name: "My-job", each: [{ codemod: "node-protocol" }], checks: ["npm test", "npm test"] },
    });
  });

  it("carries its rule and script files, looked for beside it and through symlinks", async () => {
    const spec = await resolved(`
model: scripted/link.yaml
agents: { fixer: { model: scripted/fix.yaml, prompt: Be brief., allow: ["Edit(src/**)"] } }
each:
  - codemod: { rule: rules/no-var.yml }
  - codemod: { pattern: a($X), fix: b($X), language: tsx }
  - prompt: First.
  - { prompt: Second., agent: fixer }`);
    const turns = [{ say: "hello" }, { calls: [{ tool: "submit", input: { summary: "done" } }] }];
    expect(jobSpec.parse(spec)).toEqual(spec);
    expect(spec.each.map((step) => step.kind === "agent" && step.agent)).toEqual([
      expect.objectContaining({
        model: {
          provider: "recipe",
          recipe: { name: "rule", file: "rules/no-var.yml", rules: [expect.objectContaining({ id: "no-var" })] },
        },
      }),
      expect.objectContaining({
        model: {
          provider: "recipe",
          recipe: { name: "replace-call", pattern: "a($X)", fix: "b($X)", language: "Tsx" },
        },
      }),
      { name: "default", model: { provider: "scripted", file: "link.yaml", turns }, instructions: "" },
      {
        name: "fixer",
        model: { provider: "scripted", file: "fix.yaml", turns },
        instructions: "Be brief.",
        allow: [{ id: "Edit(src/**)", tool: "Edit", paths: { glob: "src/**" } }],
      },
    ]);
  });

  it("in the long form says what a task writes and what it is about; a plain name is a path from the root", async () => {
    const spec = await resolved(`
model: recipe/node-protocol
tasks:
  - { id: a, writes: [package.json, "**/*.md", src/x], steps: [{ prompt: x }] }
  - { id: b, items: [lib], steps: [{ codemod: node-protocol }] }
  - { id: c, items: [doc], writes: [doc, index.html], steps: [{ prompt: y }] }`);
    expect(spec.split).toEqual({ by: "none" });
    expect(spec.tasks.map(({ id, writes, items }) => ({ id, writes, items }))).toEqual([
      { id: "a", writes: [{ glob: "/package.json" }, { glob: "**/*.md" }, { glob: "/src/x" }], items: undefined },
      { id: "b", writes: [{ glob: "/lib" }], items: undefined },
      { id: "c", writes: [{ glob: "/doc" }, { glob: "/index.html" }], items: [{ glob: "/doc" }] },
    ]);
  });

  it("is overruled by the command line, whose checks come after its own", async () => {
    const text = "each: [{ codemod: node-protocol }]\nchecks: [a]\nlimits: { time: 1h, idle: 1m }\npublish: patch";
    const spec = await resolved(text, { check: ["b"], concurrency: "3", timeout: "90s", publish: "branch" });
    expect(spec.checks.map((check) => check.kind === "command" && check.run)).toEqual(["a", "b"]);
    expect(spec.limits).toEqual({ time_ms: 90_000, idle_ms: 60_000, concurrency: 3 });
    expect(spec.publish).toEqual(newBranch("sheaf/My-job"));
    expect((await resolved(text)).publish).toEqual({ kind: "patch", file: join(cwd, "My-job.patch") });
    expect((await resolved(text, { publish: "patch=out/x.patch" })).publish).toEqual({
      kind: "patch",
      file: join(cwd, "out/x.patch"),
    });
    expect((await resolved(text, { publish: "branch=a=b" })).publish).toEqual(newBranch("a=b"));
  });

  it("can be a codemod and no file: a recipe by name, or a rule file where one stands", async () => {
    expect(await resolveOrder(codemodJob("node-protocol", { cwd }), { cwd })).toMatchObject({
      name: "node-protocol",
      split: { by: "files" },
    });
    const byRule = await resolveOrder(codemodJob("jobs/rules/no-var.yml", { cwd }), { cwd });
    expect(byRule).toMatchObject({
      name: "no-var",
      each: [{ agent: { model: { recipe: { file: "jobs/rules/no-var.yml" } } } }],
    });
    expect(() => codemodJob("node-protocl", { cwd })).toThrow(
      expect.objectContaining({ code: "usage", remedy: "did you mean node-protocol?" }),
    );
    await expect(resolveOrder(codemodJob("none.yml", { cwd }), { cwd })).rejects.toThrow(
      "--codemod none.yml: none.yml: there is no such file",
    );
  });
});

const refused: readonly (readonly [text: string, code: string, message: RegExp])[] = [
  [
    "each: [{ codemod: { rule: rules/none.yml } }]",
    "rule",
    /^jobs\/x\.yaml:2:27: jobs\/rules\/none\.yml: there is no such file$/,
  ],
  ["each: [{ codemod: { rule: rules } }]", "rule", /^jobs\/x\.yaml:2:27: jobs\/rules: not a file$/],
  ["each: [{ codemod: { rule: rules/broken.yml } }]", "rule", /^jobs\/x\.yaml:2:19: .*broken\.yml/],
  [
    "each: [{ codemod: { rule: rules/twice.yml } }]",
    "rule",
    /^jobs\/rules\/twice\.yml:2:1: the key "id" is here twice/,
  ],
  [
    "each: [{ codemod: { pattern: 'foo(((', fix: a } }]",
    "rule",
    /^jobs\/x\.yaml:2:19: replace-call: the pattern `foo\(\(\(` does not compile/,
  ],
  [
    "each: [{ codemod: { pattern: a($A), fix: b($B) } }]",
    "rule",
    /^jobs\/x\.yaml:2:19: .*\$B, which the pattern does not bind/,
  ],
  [
    "model: scripted/none.yaml\neach: [{ prompt: x }]",
    "script",
    /^jobs\/x\.yaml:2:8: jobs\/none\.yaml: there is no such file$/,
  ],
  [
    "model: scripted/bad-fix.yaml\neach: [{ prompt: x }]",
    "script",
    /^jobs\/bad-fix\.yaml:2:3: unknown key "cals"; did you mean "calls"\?$/,
  ],
  [
    "model: recipe/node-protocol\nagents: { fixer: {} }\neach: [{ prompt: x, agent: fixr }]",
    "job_file",
    /^jobs\/x\.yaml:4:28: there is no agent "fixr"$/,
  ],
  [
    "agents: { idle: { model: scripted/none.yaml } }\neach: [{ codemod: node-protocol }]",
    "script",
    /^jobs\/x\.yaml:2:26: /,
  ],
  [
    "permissions: { deny: [Reed] }\neach: [{ codemod: node-protocol }]",
    "rule",
    /^jobs\/x\.yaml:2:23: the rule "Reed" is refused/,
  ],
  [
    "permissions: { grant: ['Bash(npm test*)'] }\neach: [{ codemod: node-protocol }]",
    "rule",
    /^jobs\/x\.yaml:2:24: the rule "Bash\(npm test\*\)" is refused: /,
  ],
  [
    "agents: { a: { model: recipe/no-var, deny: [Agent(a b)] } }\neach: [{ codemod: node-protocol }]",
    "rule",
    /^jobs\/x\.yaml:2:45: the rule "Agent\(a b\)" is refused: /,
  ],
  ["split: { by: list, items: ['src/['] }\neach: [{ codemod: node-protocol }]", "rule", /^jobs\/x\.yaml:2:28: /],
  [
    "checks: [{ name: a, run: b }, { name: a, run: c }]\neach: [{ codemod: node-protocol }]",
    "job_file",
    /^jobs\/x\.yaml:2:39: a check before this one is named "a" too$/,
  ],
];

describe("a job that cannot be resolved", () => {
  it.each(refused)("as %j is refused as %s, at its place", async (text, code, message) => {
    const { code: found, message: said } = await fault(text);
    expect({ code: found, said }).toEqual({ code, said: expect.stringMatching(message) });
  });

  it("says everything that is wrong at once", async () => {
    const text =
      "agents: { z1: {} }\neach: [{ prompt: x, agent: z2 }, { codemod: { rule: rules/none.yml } }]\npermissions: { deny: [Reed] }";
    expect((await fault(text)).message.split("\n").map((line) => line.slice(0, 17))).toEqual([
      "jobs/x.yaml:3:28:",
      "jobs/x.yaml:3:53:",
      "jobs/x.yaml:4:23:",
    ]);
  });

  it.each([
    [{ concurrency: "0" }, '--concurrency: "0" is no number from 1 to 10000'],
    [{ concurrency: "two" }, '--concurrency: "two" is no number from 1 to 10000'],
    [{ timeout: "40" }, '--timeout: "40" is no duration; write it with a unit, such as 90s, 40m or 1h30m'],
    [{ publish: "brnch" }, '--publish: "brnch" is not a way to publish'],
    [{ publish: "branch=" }, '--publish: "branch=" is not a way to publish'],
    [
      { publish: "branch=a b" },
      '--publish: "a b" is no branch name; write one such as sheaf/node-protocol, without refs/heads/',
    ],
    [{ check: [" "] }, "--check: the text is empty; write something, or remove it"],
    [{ model: "so net" }, '--model: "so net" is no name of a model: it holds a space or a control character'],
    [{ maxUsd: "two" }, '--max-usd: "two" is no sum in USD, from 0 to 1000000'],
    [{ maxTurns: "0" }, '--max-turns: "0" is no number from 1 to 10000'],
  ] satisfies [Overrides, string][])("because of the options %j is a mistake in usage", async (overrides, message) => {
    const { code, message: said } = await fault("each: [{ codemod: node-protocol }]", overrides);
    expect({ code, said }).toEqual({ code: "usage", said: message });
  });

  it("because there is no such job file says so", async () => {
    await expect(readJobFile("jobs/none.yaml", { cwd })).rejects.toThrow("jobs/none.yaml: there is no such file");
  });
});

describe("every example that ships", () => {
  it("resolves as it is", async () => {
    const folder = join(import.meta.dirname, "../../examples");
    const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml") && !file.startsWith("sheaf."));
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const file of files) {
      const spec = await resolveJob(await readJobFile(file, { cwd: folder }), { base, cwd });
      expect(spec.name).toBe(file.slice(0, -".yaml".length));
    }
  });
});
