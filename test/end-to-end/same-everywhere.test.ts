import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../src/protocol/result.ts";
import { openSheaf, patience, type Running, resultOf, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/**
 * The same job file by the command line alone, through the process that holds the data folder, and over the network
 * from a data folder that shares nothing: the same result, and the same exit code.
 */
let ground: Playground;
let here: Sheaf;
let away: Sheaf;
let server: Running;
let env: Record<string, string>;

beforeAll(async () => {
  ground = playground();
  ground.write("src/a.js", 'const fs = require("fs");\n');
  ground.write("src/b.js", 'const path = require("path");\n');
  ground.write("shared.txt", "one\ntwo\nthree\n");
  ground.commit();
  here = openSheaf({ inProcess: true });
  away = openSheaf({ inProcess: true });
  server = here.start(["serve", "--port", "0"]);
  await server.shows(/listens on/);
  const url = /listens on (http:\S+);/.exec(server.stderr)?.[1] ?? "";
  env = { SHEAF_SERVER: url, SHEAF_TOKEN: readFileSync(join(here.home, "token"), "utf8").trim() };
}, patience);
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await away[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const codemod = { each: [{ codemod: "node-protocol" }] };
const edits = (id: string, text: string) => ({
  id,
  writes: [`${id}.txt`],
  steps: [{ prompt: "go", agent: id }],
  script: [{ calls: [{ tool: "edit", input: { file_path: "shared.txt", old_string: "two", new_string: text } }] }],
});
const clash = [edits("first", "zwei"), edits("second", "deux")];

const jobs: Record<string, { job: object; scripts?: Record<string, object>; outcome: string; code: number }> = {
  success: { job: { ...codemod, checks: ["grep -q node:fs src/a.js"] }, outcome: "succeeded", code: 0 },
  nothing: { job: { each: [{ codemod: { pattern: "never($A)", fix: "ever($A)" } }] }, outcome: "no_changes", code: 0 },
  red: { job: { ...codemod, checks: ["! grep -q node:fs src/a.js"] }, outcome: "failed", code: 1 },
  partial: {
    job: {
      agents: Object.fromEntries(clash.map(({ id }) => [id, { model: `scripted/${id}.yaml` }])),
      tasks: clash.map(({ script: _, ...task }) => task),
      permissions: { allow: ["Edit(/shared.txt)"] },
    },
    scripts: Object.fromEntries(clash.map(({ id, script }) => [id, script])),
    outcome: "partial",
    code: 10,
  },
  limit: { job: { ...codemod, limits: { idle: "1ms" } }, outcome: "limit", code: 11 },
  blocked: {
    job: { model: "scripted/lost.yaml", split: "none", each: [{ prompt: "go" }], permissions: { deny: ["Edit(**)"] } },
    scripts: { lost: [{ calls: [{ tool: "write", input: { file_path: "x.txt", content: "x" } }] }] },
    outcome: "blocked",
    code: 13,
  },
};

/** What must not differ: all but names of this one time and this one place. */
function essence({ tasks, checks, denials, outcome, exit_code, result_tree, base_commit, published }: Result) {
  return {
    outcome,
    exit_code,
    result_tree,
    base_commit,
    published,
    denials,
    tasks: tasks.map(({ patch_file: _, commit: __, reason, ...task }) => ({ ...task, code: reason?.code })),
    checks: checks.map(({ duration_ms: _, ...check }) => check),
  };
}

describe("a job", { timeout: patience }, () => {
  it.each(Object.entries(jobs))(
    "that ends in %s does so wherever it is run",
    async (name, { job, scripts, outcome, code }) => {
      for (const sheaf of [here, away]) {
        sheaf.write(`${name}.yaml`, JSON.stringify({ version: 1, ...job }));
        for (const [id, script] of Object.entries(scripts ?? {})) sheaf.write(`${id}.yaml`, JSON.stringify(script));
      }
      const words = [`${name}.yaml`, "--repo", ground.user, "--fresh"];
      const [near, far] = await Promise.all([here.job(words), away.job(words, { env })]);
      expect(near.result).toMatchObject({ outcome, exit_code: code });
      expect(essence(far.result)).toEqual(essence(near.result));
      expect(far.code).toBe(near.code);
    },
  );

  it("that was cancelled elsewhere ends with the code of the signal here", async () => {
    away.write("slow.yaml", JSON.stringify({ version: 1, ...codemod, checks: ["sleep 600"] }));
    const running = away.start(["run", "slow.yaml", "--repo", ground.user, "--output-format", "json"], { env });
    await running.shows(/check {2}sleep 600/);
    running.child.kill("SIGTERM");
    expect(resultOf(await running.ended)).toMatchObject({ outcome: "cancelled", exit_code: 143 });
  });

  it("that cannot be read is refused with the same words and code, before anything is sent", async () => {
    const text = "version: 1\nech: [{ codemod: node-protocol }]\n";
    const words = ["run", "wrong.yaml", "--repo", ground.user];
    const [near, far] = await Promise.all(
      [here, away].map((sheaf) => {
        sheaf.write("wrong.yaml", text);
        return sheaf.call(words, { env: sheaf === away ? env : {} });
      }),
    );
    expect(near).toMatchObject({ code: 65, stderr: expect.stringMatching(/wrong.yaml:2:1: .*each/) });
    expect(far).toEqual(near);
  });

  it("whose result was made elsewhere comes home as a branch, a patch and working files", async () => {
    const job = ["--codemod", "node-protocol", "--repo", ground.user];
    const branch = await away.job([...job, "--publish", "branch=from/afar"], { env });
    expect(branch.result.published).toEqual({ branch: "from/afar" });
    expect(ground.git("show", "from/afar:src/a.js")).toContain("node:fs");
    const patch = await away.job([...job, "--publish", "patch=away.patch"], { env });
    expect(patch.result.published).toEqual({ patch_file: join(away.folder, "away.patch") });
    ground.git("apply", "--check", join(away.folder, "away.patch"));
    const applied = await away.call(["apply", "last", "--repo", ground.user], { env });
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining("2 files changed") });
    expect(ground.read("src/b.js").toString()).toContain("node:path");
    ground.git("checkout", "-q", ".");
  });

  it("is refused without a token, or with one that is not the server's", async () => {
    const refused = await away.call(["list"], { env: { ...env, SHEAF_TOKEN: "sheaf_wrong" } });
    expect(refused).toMatchObject({ code: 77, stdout: "", stderr: expect.stringMatching(/no token of this server/) });
  });

  it("that is handed over is left to the server at once", async () => {
    away.write("later.yaml", JSON.stringify({ version: 1, ...codemod, checks: ["sleep 3"] }));
    const left = await away.call(["run", "later.yaml", "--repo", ground.user, "--detach"], { env });
    expect(left).toMatchObject({ code: 0, stdout: expect.stringMatching(/^later-1\n$/) });
    expect((await away.call(["list", "-n", "1"], { env })).stdout).toMatch(/later-1 +running/);
    const words = ["run", "later.yaml", "--repo", ground.user, "--detach", "--publish", "patch"];
    expect(await away.call(words, { env })).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/--detach: the patch/),
    });
  });

  it("that a stopping server cuts short is handed back, which whoever follows it is told, and no other is taken", async () => {
    const running = away.start(["run", "slow.yaml", "--repo", ground.user, "--output-format", "json"], { env });
    await running.shows(/check {2}sleep 600/);
    server.child.kill("SIGTERM");
    await server.shows(/stopping: \d running jobs? may finish/);
    const refused = await away.call(["run", "--codemod", "node-protocol", "--repo", ground.user], { env });
    expect(refused).toMatchObject({ code: 69, stderr: expect.stringMatching(/is stopping/) });
    expect(await running.ended).toMatchObject({
      code: 69,
      stdout: "",
      stderr: expect.stringMatching(/does not answer/),
    });
    expect((await server.ended).code).toBe(0);
  });

  it("with checks is refused by a server that may run no commands, exit 78", async () => {
    await using closed = openSheaf({ settings: "sandbox: { mode: none }\n" });
    const serving = closed.start(["serve", "--port", "0"]);
    await serving.shows(/listens on/);
    const SHEAF_SERVER = /listens on (http:\S+);/.exec(serving.stderr)?.[1] ?? "";
    const SHEAF_TOKEN = readFileSync(join(closed.home, "token"), "utf8").trim();
    const words = ["run", "--codemod", "node-protocol", "--check", "true", "--repo", ground.user];
    const refused = await away.call(words, { env: { SHEAF_SERVER, SHEAF_TOKEN } });
    expect(refused).toMatchObject({ code: 78, stdout: "", stderr: expect.stringMatching(/needs a command/) });
  });
});
