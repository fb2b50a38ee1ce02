import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { CommandStep, Step } from "../../src/protocol/step.ts";
import { runJobOn, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const command = (run: string): CommandStep => ({ kind: "command", run, may_fail: false, timeout_ms: 20_000 });
const task = (id: string, needs: string[], ...steps: Step[]): NamedTask => ({
  id,
  needs,
  writes: [{ directories: [id] }],
  steps,
});
const run = (more: Partial<JobSpec>) => runJobOn(bench, { "README.md": "x\n", "shared.txt": "base\n" }, more);
const refusing: Step = {
  kind: "agent",
  agent: {
    name: "no",
    instructions: "",
    model: {
      provider: "scripted",
      file: "no",
      turns: [{ calls: [{ tool: "submit", input: { summary: "no", refused: "I will not" } }] }],
    },
  },
  prompt: "",
};

describe("a task that needs others", () => {
  it("starts from all their work and from nothing else, and lands on top of it", async () => {
    const tasks = [
      writingTask("one"),
      writingTask("two"),
      task(
        "three",
        ["one"],
        command("mkdir three && ls -d */ | tr -d '\\n' > three/saw && cat one/out.txt >> three/saw"),
      ),
      task("four", ["two", "three"], command("mkdir four && ls -d */ | tr -d '\\n' > four/saw")),
    ];
    const { result, repository } = await run({ tasks });
    expect(result.outcome).toBe("succeeded");
    const show = shown(repository, result);
    expect(show("three/saw")).toBe("one/three/written by one\n");
    expect(show("four/saw")).toBe("four/one/three/two/");
    const own = execFileSync("git", [
      "--git-dir",
      repository.gitDir,
      "diff",
      "--name-only",
      `${result.tasks[3]?.commit}^!`,
    ]);
    expect(own.toString()).toBe("four/saw\n");
    expect(result.tasks.map((one) => [one.files_changed, one.insertions])).toEqual(Array(4).fill([1, 1]));
  });

  it("does not run when one of them did not deliver; its reason says so, and so on down", async () => {
    const tasks = [
      task("one", [], refusing),
      writingTask("two"),
      task("three", ["one", "two"], command("exit 9")),
      task("four", ["three"], command("exit 9")),
    ];
    const { result, events } = await run({ tasks });
    expect(result).toMatchObject({ outcome: "partial", exit_code: 10, reason: { task: "one", message: "I will not" } });
    expect(result.tasks).toMatchObject([
      { state: "failed" },
      { landed: true },
      {
        state: "failed",
        attempts: 0,
        landed: false,
        reason: { code: "needs", message: "it needs one, which ended failed" },
      },
      {
        state: "failed",
        attempts: 0,
        landed: false,
        reason: { code: "needs", message: "it needs three, which ended failed" },
      },
    ]);
    expect(events.filter((event) => event.type === "task.finished")).toHaveLength(4);
    const alone = await run({ tasks: [task("one", [], refusing), task("two", ["one"], command("true"))] });
    expect(alone.result).toMatchObject({ outcome: "failed", exit_code: 1, reason: { code: "refused", task: "one" } });
  });

  it("runs after one that had nothing to do", async () => {
    const { result } = await run({
      tasks: [task("one", [], command("true")), task("two", ["one"], command("mkdir two; echo > two/x"))],
    });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ state: "no_changes" }, { landed: true }] });
  });

  it("is dropped from the landing with the task it builds on, and its patch is its own work alone", async () => {
    const editing = (id: string, needs: string[], text: string): NamedTask => task(id, needs, command(text));
    const tasks = [
      editing("one", [], "echo one > shared.txt"),
      editing("two", [], "mkdir two && echo two > two/x && echo two > shared.txt"),
      editing("three", ["two"], "mkdir three && echo three > three/x"),
    ];
    const allow = [{ id: "Edit(shared.txt)", tool: "Edit" as const, paths: { glob: "/shared.txt" } }];
    const { result, repository } = await run({ tasks, permissions: { allow, deny: [] } });
    expect(result).toMatchObject({ outcome: "partial", exit_code: 10 });
    expect(result.tasks).toMatchObject([
      { landed: true },
      { landed: false, state: "succeeded", reason: { code: "conflict" } },
      { landed: false, state: "succeeded", reason: { code: "needs", message: "it needs two, which was left out" } },
    ]);
    expect(shown(repository, result)("shared.txt")).toBe("one\n");
    const patch = readFileSync(result.tasks[2]?.patch_file ?? "", "utf8");
    expect(patch).toContain("three/x");
    expect(patch).not.toContain("two/x");
  });
});

describe("a check of a task's own tree", () => {
  const check = commandCheck("test ! -e two/out.txt || { echo two is bad; exit 1; }", { name: "no two", at: "task" });

  it("fails the task that makes it red, with its tail, and no other; what needs that task does not run", async () => {
    const tasks = [
      writingTask("one"),
      writingTask("two"),
      task("three", ["two"], command("mkdir three; echo > three/x")),
    ];
    const { result, events } = await run({ tasks, checks: [check] });
    expect(result).toMatchObject({ outcome: "partial", exit_code: 10 });
    expect(result.tasks).toMatchObject([
      { landed: true },
      { state: "failed", landed: false, reason: { code: "check_failed", check: "no two", log: "two is bad" } },
      { state: "failed", reason: { code: "needs" } },
    ]);
    expect(readFileSync(result.tasks[1]?.patch_file ?? "", "utf8")).toContain("+written by two");
    expect(result.checks.map((one) => [one.task, one.state])).toEqual([
      ["one", "passed"],
      ["two", "failed"],
    ]);
    const started = events.flatMap((event) => (event.type === "check.started" ? [event.data.task_id] : []));
    expect(new Set(started)).toEqual(new Set(["one", "two"]));
  });

  it("compares with what the task started from, so that nobody is blamed for another's work", async () => {
    const red = commandCheck("test ! -e one/out.txt", { name: "no one", at: "task" });
    const tasks = [writingTask("one"), task("two", ["one"], command("mkdir two; echo > two/x"))];
    const loose = await run({ tasks, checks: [{ ...red, expect: "pass" }] });
    expect(loose.result).toMatchObject({ outcome: "failed", reason: { code: "check_failed", task: "one" } });
    const later = commandCheck("test ! -e one/out.txt || test ! -e two/x", { name: "not both", at: "task" });
    const { result } = await run({ tasks, checks: [later] });
    expect(result).toMatchObject({
      outcome: "partial",
      tasks: [{ landed: true }, { reason: { code: "check_failed" } }],
    });
  });

  it("that proves nothing leaves the job unverified, and unpublished", async () => {
    const doubtful = commandCheck("exit 1", { name: "always red", at: "task" });
    const publish = {
      kind: "branch",
      name: "doubt",
      existing: "refuse",
      on_base_moved: "keep",
      group_by: "job",
    } as const;
    const { result } = await run({ tasks: [writingTask("one")], checks: [doubtful], publish });
    expect(result).toMatchObject({
      outcome: "unverified",
      exit_code: 1,
      tasks: [{ landed: true }],
      reason: { task: "one" },
    });
    expect(result.published).toBeUndefined();
  });

  it("is not asked about a task that changed nothing", async () => {
    const { result } = await run({
      tasks: [task("one", [], command("true"))],
      checks: [commandCheck("exit 1", { at: "task" })],
    });
    expect(result).toMatchObject({ outcome: "no_changes", checks: [] });
  });
});
