import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { submit } from "../../src/coordinator/submit.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { CommandStep } from "../../src/protocol/step.ts";
import { eventsOf, runJobOn, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const command = (run: CommandStep["run"], more: Partial<CommandStep> = {}): CommandStep => ({
  kind: "command",
  run,
  may_fail: false,
  timeout_ms: 20_000,
  ...more,
});
const taskOf = (id: string, steps: NamedTask["steps"], more: Partial<NamedTask> = {}): NamedTask => ({
  id,
  writes: [{ directories: [id] }],
  steps,
  ...more,
});
const run = (files: Readonly<Record<string, string>>, more: Partial<JobSpec>) => runJobOn(bench, files, more);
const files = { "one/a.txt": "a\n", "one/b.sh": "#!/bin/sh\n", "two/c.txt": "c\n", ".gitignore": "ignored/\n" };

describe("a step that is a command", () => {
  it("works in a whole checkout, after and before other steps, and lands what it changed", async () => {
    const steps = [
      command("cat two/c.txt > one/new.txt && rm one/a.txt && chmod +x one/b.sh && git ls-files | wc -l > one/count"),
      command(["sh", "-c", 'cat one/new.txt one/new.txt > "$1"', "sh", "one/odd name"]),
    ];
    const { result, events, repository } = await run(files, { tasks: [taskOf("one", steps)] });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ state: "succeeded", files_changed: 5 }] });
    const show = shown(repository, result);
    expect(show("one/new.txt")).toBe("c\n");
    expect(show("one/odd name")).toBe("c\nc\n");
    expect(show("one/count").trim()).toBe("4");
    const listed = execFileSync("git", ["--git-dir", repository.gitDir, "ls-tree", "-r", result.result_commit ?? ""]);
    expect(listed.toString()).toMatch(/100755 blob \w+\tone\/b\.sh/);
    expect(listed.toString()).not.toContain("a.txt");
    const own = events.filter((event) => event.run_id === events.find((one) => one.type === "tool.intended")?.run_id);
    expect(own.map((event) => event.type)).toEqual(["run.started", "tool.intended", "tool.finished", "run.finished"]);
    const receipt = own.find((event) => event.type === "tool.finished");
    const told = JSON.parse(receipt?.type === "tool.finished" ? receipt.data.content : "{}");
    expect(told).toMatchObject({ run: steps[0]?.run, exit: 0, signal: null, timed_out: false, files_changed: 4 });
    expect(
      existsSync(join(bench.folder, "home/checkouts")) ? readdirSync(join(bench.folder, "home/checkouts")) : [],
    ).toEqual([]);
  });

  it("sees what the step before it did, agent or command", async () => {
    const [step] = writingTask("one").steps;
    if (!step) throw new Error("no step");
    const { result, repository } = await run(files, {
      tasks: [taskOf("one", [step, command("cp one/out.txt one/copy.txt")])],
    });
    expect(result.outcome).toBe("succeeded");
    expect(shown(repository, result)("one/copy.txt")).toBe("written by one\n");
  });

  it("is told its task and the inputs by its environment, as data", async () => {
    const { result, repository } = await run(files, {
      inputs: { name: { value: "$(id) `x`\n'", is_untrusted: true } },
      tasks: [
        taskOf("one", [
          command('printf "%s|%s|%s" "$SHEAF_INPUT_NAME" "$SHEAF_TASK_ID" "$SHEAF_TASK_FILES" > one/env'),
        ]),
      ],
    });
    expect(result.outcome).toBe("succeeded");
    expect(shown(repository, result)("one/env")).toBe("$(id) `x`\n'|one|one/a.txt\none/b.sh");
  });

  it("has what it wrote outside put back, and the task is blocked, with the rest kept as evidence", async () => {
    const out = "echo mine > one/a.txt; echo theirs > two/c.txt; echo x > .gitattributes; rm -f .gitignore";
    const { result, repository, events } = await run(files, { tasks: [taskOf("one", [command(out)])] });
    expect(result).toMatchObject({ outcome: "blocked", exit_code: 13, result_commit: null });
    const [task] = result.tasks;
    expect(task).toMatchObject({ state: "blocked", files_changed: 1, reason: { code: "denied" } });
    expect(result.denials.map((denial) => [denial.tool, denial.input])).toEqual([
      ["command", ".gitattributes"],
      ["command", ".gitignore"],
      ["command", "two/c.txt"],
    ]);
    expect(readFileSync(task?.patch_file ?? "", "utf8")).toMatch(/^\+mine$/m);
    expect(readFileSync(task?.patch_file ?? "", "utf8")).not.toContain("theirs");
    execFileSync("git", ["--git-dir", repository.gitDir, "cat-file", "-e", `${task?.commit}^{commit}`]);
    expect(events.filter((event) => event.type === "tool.denied")).toHaveLength(3);
  });

  it("is held to the narrower writes of its step, and so is an agent", async () => {
    const narrow = { writes: [{ files: ["one/a.txt"] }] };
    const wide = await run(files, {
      tasks: [taskOf("one", [command("echo 2 > one/a.txt; echo 2 > one/b.sh", narrow)])],
    });
    expect(wide.result.denials).toMatchObject([{ input: "one/b.sh", rule: "no rule" }]);
    expect(wide.result.denials[0]?.reason).toMatch(/of the step/);
    const [step] = writingTask("one").steps;
    const { result } = await run(files, { tasks: [taskOf("one", step ? [{ ...step, ...narrow }] : [])] });
    expect(result.denials).toMatchObject([{ tool: "write", input: "one/out.txt" }]);
  });

  it("leaves no repository, link to the outside or file in the place of a forbidden folder behind", async () => {
    const { result } = await run(files, {
      tasks: [
        taskOf("one", [
          command("git init -q one/sub && touch one/sub/x && ln -s /etc/passwd one/link && rm -r two && echo > two"),
        ]),
      ],
    });
    expect(result.outcome).toBe("blocked");
    expect(result.denials.map((denial) => denial.input).sort()).toEqual([
      "one/link",
      "one/sub/.git",
      "two",
      "two/c.txt",
    ]);
  });

  it("is seen by its files, whatever it tells git: no index, commit or setting of the checkout hides work", async () => {
    // In Sheaf's own sandbox git's folder cannot be written at all.
    await using open = await openTestBench({ sandbox: "external" });
    const hide = "git update-index --assume-unchanged one/a.txt && echo 2 > one/a.txt && touch -d @1 one/a.txt";
    const { result, repository } = await runJobOn(open, files, {
      tasks: [taskOf("one", [command(`${hide}; echo 3 > two/c.txt; git add -A; git commit -qm mine`)])],
    });
    expect(result.denials).toMatchObject([{ input: "two/c.txt" }]);
    expect(readFileSync(result.tasks[0]?.patch_file ?? "", "utf8")).toMatch(/^\+2$/m);
    expect(execFileSync("git", ["log", "--format=%s"], { cwd: repository.user.top }).toString()).toBe("base\n");
  });

  it("takes nothing that git ignores", async () => {
    const { result, repository } = await run(files, {
      tasks: [
        taskOf("one", [command("mkdir -p ignored one/ignored && touch ignored/x one/ignored/y && echo 1 > one/a.txt")]),
      ],
    });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
    expect(shown(repository, result)("one/a.txt")).toBe("1\n");
  });

  it("fails its task by its exit code, with the end of what it printed; later steps do not run", async () => {
    const steps = [command("echo kept > one/a.txt; echo why it failed >&2; exit 3"), command("touch one/never")];
    const { result, events } = await run(files, { tasks: [taskOf("one", steps), writingTask("two")] });
    expect(result).toMatchObject({ outcome: "partial", exit_code: 10 });
    expect(result.tasks[0]).toMatchObject({
      state: "failed",
      files_changed: 1,
      reason: { code: "command_failed", message: expect.stringMatching(/exit 3$/), log: "why it failed" },
    });
    expect(events.filter((event) => event.type === "run.started")).toHaveLength(2);
  });

  it("may fail where that is said; not by never having run, or by having to be killed", async () => {
    const loose = { may_fail: true };
    const fine = await run(files, { tasks: [taskOf("one", [command("echo 1 > one/a.txt; exit 1", loose)])] });
    expect(fine.result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
    const missing = await run(files, { tasks: [taskOf("one", [command(["no-such-program"], loose)])] });
    expect(missing.result.tasks[0]?.reason).toMatchObject({
      code: "command_failed",
      log: expect.stringMatching(/no such program/),
    });
    const slow = await run(files, { tasks: [taskOf("one", [command("sleep 60", { ...loose, timeout_ms: 300 })])] });
    expect(slow.result.tasks[0]).toMatchObject({
      state: "failed",
      reason: { message: expect.stringMatching(/no end after/) },
    });
  });

  it("says no_changes when a command changes nothing", async () => {
    const { result } = await run(files, {
      tasks: [taskOf("one", [command("touch one/a.txt; git status > /dev/null")])],
    });
    expect(result).toMatchObject({ outcome: "no_changes", exit_code: 0 });
  });

  it("ends with the job when that is cancelled, and what was done before it is kept", async () => {
    const { repository, spec } = await bench.repository(files);
    const tasks = [taskOf("one", [command("echo 1 > one/a.txt"), command("echo 2 > one/a.txt; sleep 60")])];
    let runs = 0;
    const submitted = await submit(
      {
        spec: { ...spec, tasks },
        repository,
        onFact: (_, fact) => {
          if (fact.type === "tool.intended") runs += 1;
          if (runs === 2 && "started" in submitted) submitted.started.cancel("SIGINT");
        },
      },
      bench.equipment,
    );
    if (!("started" in submitted)) throw new Error("not started");
    const result = await submitted.started.done;
    expect(result).toMatchObject({
      outcome: "cancelled",
      exit_code: 130,
      tasks: [{ state: "cancelled", files_changed: 1 }],
    });
    expect(readFileSync(result.tasks[0]?.patch_file ?? "", "utf8")).toMatch(/^\+1$/m);
    const events = await eventsOf(bench, submitted.started.id);
    expect(events.filter((event) => event.type === "run.finished")).toHaveLength(2);
  });

  it("is refused without a sandbox before anything runs", async () => {
    const { repository, spec } = await bench.repository(files);
    const sandbox = async () => ({ unavailable: "none is configured", remedy: "configure one" });
    const order = { spec: { ...spec, before: [command("true")] }, repository };
    await expect(submit(order, { ...bench.equipment, sandbox })).rejects.toMatchObject({ code: "sandbox_unavailable" });
  });
});
