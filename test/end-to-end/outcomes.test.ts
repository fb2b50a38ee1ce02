import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSheaf, patience, resultOf, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/**
 * Every outcome through the real command line: its exit code, its result, and how `show` tells it. The first of them as
 * processes, and the ones that signals make; the others differ in what the command does, not in how it is started.
 */
let ground: Playground;
let sheaf: Sheaf;

beforeAll(() => {
  ground = playground();
  ground.write("src/a.js", 'const fs = require("fs");\n');
  ground.write("src/b.js", 'import path from "path";\nrequire(name);\n');
  ground.write("shared.txt", "one\ntwo\nthree\n");
  ground.commit();
  sheaf = openSheaf({ inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

/** JSON is YAML. */
function jobFile(name: string, job: object): string {
  return sheaf.write(`${name}.yaml`, JSON.stringify({ version: 1, ...job }));
}

function scripted(name: string, calls: readonly { tool: string; input: object }[]): { model: string; prompt: string } {
  sheaf.write(`${name}.script.yaml`, JSON.stringify(calls.map((call) => ({ calls: [call] }))));
  return { model: `scripted/${name}.script.yaml`, prompt: name };
}

const edit = (old_string: string, new_string: string) => ({
  tool: "edit",
  input: { file_path: "shared.txt", old_string, new_string },
});
const write = (file_path: string, content = "x\n") => ({ tool: "write", input: { file_path, content } });
const run = (file: string, ...words: string[]) => sheaf.job([file, "--repo", ground.user, ...words]);
const show = async () => (await sheaf.call(["show", "last"])).stdout;
const nodeProtocol = { each: [{ codemod: "node-protocol" }] };

describe("the outcome of sheaf run", { timeout: patience }, () => {
  it("is succeeded, exit 0, when all of it landed and the checks are green", async () => {
    const file = jobFile("good", { ...nodeProtocol, checks: ["grep -q node:fs src/a.js"] });
    const { result, stderr } = await sheaf.job([file, "--repo", ground.user], { asProcess: true });
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0, denials: [] });
    expect(result.checks).toMatchObject([{ state: "passed", exit: 0, new_failures: 0 }]);
    expect(result.tasks).toMatchObject([{ state: "succeeded", landed: true, files_changed: 2, insertions: 2 }]);
    expect(result.result_tree).toMatch(/^[0-9a-f]{40}$/);
    expect(stderr).not.toContain("warning");
    expect(stderr).toMatch(/check {2}grep -q node:fs src\/a.js {2}on [0-9a-f]{12} {2}green/);
    const shown = await show();
    expect(shown).toMatch(/^SUCCEEDED {2}good-1 {2}exit 0 /);
    expect(shown).toMatch(
      /LEFT {3}1 place seen and left alone\n +src\/b.js:2:1 {2}require\(name\) {2}\(not a literal\)/,
    );
    expect(shown).toContain("sheaf apply good-1");
  });

  it("is no_changes, exit 0, when there is nothing to do or a pattern matches nothing", async () => {
    const codemod = { pattern: "neverCalled($A)", fix: "called($A)" };
    const { result } = await run(jobFile("nothing", { each: [{ codemod }], checks: ["false"] }));
    expect(result).toMatchObject({ outcome: "no_changes", exit_code: 0, result_commit: null, result_tree: null });
    expect(result.tasks.map((task) => task.state)).toEqual(["no_changes"]);
    expect(result.checks).toMatchObject([{ state: "skipped" }]);
    expect(await show()).toMatch(/^NO_CHANGES {2}nothing-1 {2}exit 0 /);
  });

  it("is failed, exit 1, when the check is red on the merged tree and green at the base: nothing lands", async () => {
    const check = 'if grep -q node:fs src/a.js; then echo "total.test: expected 1, got 2"; exit 3; fi';
    const split = { by: "files", files: 1 };
    const { result } = await run(jobFile("red", { ...nodeProtocol, split, checks: [{ name: "tests", run: check }] }));
    expect(result).toMatchObject({ outcome: "failed", exit_code: 1, result_commit: null, result_tree: null });
    expect(result.reason).toMatchObject({ code: "check_failed", check: "tests" });
    expect(result.checks).toMatchObject([{ state: "failed", exit: 3, base_failures: 0, new_failures: 1 }]);
    expect(result.tasks.map((task) => task.landed)).toEqual([false, false]);
    for (const { patch_file } of result.tasks) ground.git("apply", "--check", patch_file ?? "no patch");
    const shown = await show();
    expect(shown).toMatch(/WHY .*"tests".*exit 3; green at the base/);
    expect(shown).toContain("| total.test: expected 1, got 2");
    for (const { patch_file } of result.tasks) expect(shown).toContain(patch_file);
    const mine = await sheaf.call(["diff", "last", "--task", result.tasks[0]?.id ?? ""]);
    expect(mine).toMatchObject({ code: 0, stdout: readFileSync(result.tasks[0]?.patch_file ?? "", "utf8") });
    expect(await sheaf.call(["diff", "last"])).toMatchObject({ code: 64, stdout: "" });
  });

  it("is unverified, exit 1, when the check is red before and after; nothing is published by itself", async () => {
    const file = jobFile("doubt", { ...nodeProtocol, checks: ["exit 2"], publish: { branch: "doubt" } });
    const { result } = await run(file);
    expect(result).toMatchObject({ outcome: "unverified", exit_code: 1 });
    expect(result.checks).toMatchObject([{ state: "unverified", new_failures: null, base_failures: 1 }]);
    expect(result.published).toBeUndefined();
    expect(ground.git("branch", "--list", "doubt")).toBe("");
    expect(await show()).toMatch(/WHY .*exit 2.*at the base/);
  });

  it("is partial, exit 10, when a conflict leaves the later task out with its hunks and its patch", async () => {
    const first = scripted("first", [edit("two", "zwei")]);
    const second = scripted("second", [edit("two", "deux"), write("second.txt")]);
    const file = jobFile("clash", {
      agents: { first, second },
      tasks: [
        { id: "first", writes: ["first.txt"], steps: [{ prompt: "go", agent: "first" }] },
        { id: "second", writes: ["second.txt"], steps: [{ prompt: "go", agent: "second" }] },
      ],
      permissions: { allow: ["Edit(/shared.txt)"] },
    });
    const { result, stderr } = await run(file);
    expect(result).toMatchObject({ outcome: "partial", exit_code: 10, reason: { code: "conflict", task: "second" } });
    expect(stderr).toMatch(/merge {2}second left out: .*shared.txt/);
    const [landed, left] = result.tasks;
    expect(landed).toMatchObject({ id: "first", landed: true });
    expect(left).toMatchObject({ id: "second", landed: false, files_changed: 2, reason: { code: "conflict" } });
    expect(left?.reason?.log).toMatch(/zwei[\s\S]*deux/);
    expect(readFileSync(left?.patch_file ?? "", "utf8")).toContain("+deux");
    expect(await show()).toMatch(/WHY {4}second: conflicts with first in shared.txt[\s\S]*\| .*deux/);
    const taken = await sheaf.call(["run", file, "--repo", ground.user, "--ok-on", "partial"]);
    expect(taken).toMatchObject({ code: 0, stdout: expect.stringMatching(/^PARTIAL {2}clash-2 {2}exit 10 /) });
  });

  it("is blocked, exit 13, when an agent was denied what it needed; other denials are only listed", async () => {
    const agents = {
      lost: scripted("lost", [write("../.npmrc")]),
      able: scripted("able", [write("x"), write("able.txt")]),
    };
    const task = (id: string) => ({ id, writes: [`${id}.txt`], steps: [{ prompt: "go", agent: id }] });
    const { result, stderr } = await run(jobFile("denied", { agents, tasks: [task("lost"), task("able")] }));
    expect(result).toMatchObject({ outcome: "blocked", exit_code: 13, reason: { code: "denied", task: "lost" } });
    expect(result.tasks).toMatchObject([
      { id: "lost", state: "blocked", landed: false },
      { id: "able", state: "succeeded", landed: true },
    ]);
    expect(result.denials).toMatchObject([
      { task: "lost", tool: "write", input: "../.npmrc" },
      { task: "able", tool: "write", input: "x" },
    ]);
    expect(stderr).toMatch(/DENIED lost: write \.\.\/\.npmrc/);
    expect(await show()).toMatch(/DENIED 2\n +lost: write \.\.\/\.npmrc/);
    const tolerated = await run(jobFile("tolerated", { agents: { able: agents.able }, tasks: [task("able")] }));
    expect(tolerated.result).toMatchObject({ outcome: "succeeded", exit_code: 0, denials: [{ input: "x" }] });
  });

  it("is limit, exit 11, when the job's time or a run's idle time is up, with the finished work kept", async () => {
    const late = jobFile("late", { ...nodeProtocol, checks: ["sleep 600"] });
    const { result } = await run(late, "--timeout", "4s");
    expect(result).toMatchObject({ outcome: "limit", exit_code: 11, limit: "time", reason: { code: "time" } });
    // How far it came depends on the machine; what had finished is there.
    for (const { state, patch_file } of result.tasks) expect(existsSync(patch_file ?? "")).toBe(state === "succeeded");
    expect(await show()).toMatch(/^LIMIT .*\nWHY {4}the job's time of 4 s is up\n +try: raise limits.time/);
    const idle = await run(jobFile("idle", { ...nodeProtocol, limits: { idle: "1ms" } }), "--fresh");
    expect(idle.result).toMatchObject({ outcome: "limit", exit_code: 11, limit: "idle" });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "is cancelled by %s, exit %i, with the finished work kept and the report written",
    async (signal, code) => {
      const file = jobFile(`stop-${code}`, { ...nodeProtocol, checks: ["trap '' TERM; while :; do sleep 1; done"] });
      const running = sheaf.start([
        "run",
        file,
        "--repo",
        ground.user,
        "--output-format",
        "json",
        "-o",
        `${code}.json`,
      ]);
      await running.shows(/check {2}trap/);
      running.child.kill(signal);
      const ended = await running.ended;
      const result = resultOf(ended);
      expect(result).toMatchObject({ outcome: "cancelled", exit_code: code, reason: { code: "cancelled" } });
      expect(ended.stderr).toContain(`${signal}: cancelling; finished work is kept`);
      expect(result.tasks).toMatchObject([{ state: "succeeded", landed: false, files_changed: 2 }]);
      expect(existsSync(result.tasks[0]?.patch_file ?? "")).toBe(true);
      expect(JSON.parse(readFileSync(`${sheaf.folder}/${code}.json`, "utf8"))).toEqual(result);
      expect(await show()).toMatch(new RegExp(`^CANCELLED {2}stop-${code}-1 {2}exit ${code} `));
    },
  );

  it("leaves at once on a second signal, and takes its commands along", async () => {
    const own = `sleep 4${process.pid}`;
    const check = `trap '' TERM; ${own} & setsid ${own} & wait; wait`;
    const running = sheaf.start(["run", jobFile("twice", { ...nodeProtocol, checks: [check] }), "--repo", ground.user]);
    // Only then has the command shut its ears to the polite signal.
    await expect.poll(() => processesOf(own), { timeout: patience }).toBe(2);
    running.child.kill("SIGINT");
    await running.shows(/cancelling/);
    // What comes within a third of a second passes for an echo of the first.
    const insisting = setInterval(() => running.child.kill("SIGINT"), 100);
    const ended = await running.ended.finally(() => clearInterval(insisting));
    expect(ended).toMatchObject({ code: 130, stdout: "" });
    await expect.poll(() => processesOf(own)).toBe(0);
    expect(await show()).toMatch(
      /^twice-1 {2}interrupted: no verdict yet; .*\n {2}no process works on it: it goes on with/,
    );
  });
});

/** How many run on this machine with these words. */
function processesOf(words: string): number {
  const wanted = `${words.replaceAll(" ", "\0")}\0`;
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => cmdlineOf(id) === wanted).length;
}

function cmdlineOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
