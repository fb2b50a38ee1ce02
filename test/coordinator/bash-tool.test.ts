import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { submit } from "../../src/coordinator/submit.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { AgentStep } from "../../src/protocol/step.ts";
import { eventsOf, runJobOn, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

type Call = { tool: string; input: Record<string, unknown> };

const bash = (command: string, more: Record<string, unknown> = {}): Call => ({
  tool: "bash",
  input: { command, ...more },
});
const stepOf = (turns: (Call | Call[])[], more: Partial<AgentStep> = {}): AgentStep => ({
  kind: "agent",
  agent: {
    name: "fixer",
    instructions: "",
    model: {
      provider: "scripted",
      file: "x.yaml",
      turns: [...turns.map((calls) => ({ calls: [calls].flat() })), { calls: [submitted] }],
    },
  },
  prompt: "",
  ...more,
});
const submitted: Call = { tool: "submit", input: { summary: "done" } };
const rules = (...texts: string[]) => texts.map((text) => parseRule(text));
const jobOf = (turns: (Call | Call[])[], more: Partial<JobSpec> = {}): Partial<JobSpec> => {
  const task: NamedTask = { id: "one", writes: [{ directories: ["one"] }], steps: [stepOf(turns)] };
  return { tasks: [task], permissions: { allow: rules("Bash"), deny: [] }, ...more };
};
const files = { "one/a.txt": "a\n", "two/c.txt": "c\n", ".gitignore": "ignored/\n", "package.json": '{"name":"x"}\n' };

/** What it printed stands behind a line on how it ended. */
const printed = (content: string) => content.split("\n").slice(1).join("\n");
const receiptOf = ({ receipt }: { receipt?: unknown }) => JSON.parse(JSON.stringify(receipt ?? {}));
/** What became of each command, in order. */
const receipts = (events: readonly Event[]) =>
  events.flatMap((event) =>
    event.type === "tool.finished" && event.data.tool === "bash"
      ? [{ isError: event.data.is_error, output: printed(event.data.content), ...receiptOf(event.data) }]
      : [],
  );
const run = (turns: (Call | Call[])[], more: Partial<JobSpec> = {}, tree: Readonly<Record<string, string>> = files) =>
  runJobOn(bench, tree, jobOf(turns, more));

describe("a command of an agent", () => {
  it("sees the whole repository with the agent's edits, and what it changes lands", async () => {
    const { result, repository, events } = await run([
      { tool: "write", input: { file_path: "one/a.txt", content: "edited\n" } },
      [
        bash(
          "cat one/a.txt two/c.txt; git status --porcelain; git diff --stat; echo made > one/new; chmod +x one/a.txt",
        ),
        { tool: "read", input: { file_path: "one/new" } },
        { tool: "edit", input: { file_path: "one/new", old_string: "made", new_string: "made, then edited" } },
        bash("cat one/new && rm one/a.txt"),
      ],
    ]);
    const [first, second] = receipts(events);
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 2 }] });
    expect(first).toMatchObject({
      exit: 0,
      signal: null,
      timed_out: false,
      isError: false,
      files_changed: 2,
      put_back: 0,
    });
    expect(first.output).toMatch(/^edited\nc\n M one\/a\.txt\n one\/a\.txt \| 2 /);
    expect(second.output).toBe("made, then edited");
    expect(second.tree_before).not.toBe(first.tree_after);
    expect(shown(repository, result)("one/new")).toBe("made, then edited\n");
    const tree = execFileSync("git", [
      "--git-dir",
      repository.gitDir,
      "ls-tree",
      "-r",
      "--name-only",
      `${result.result_commit}`,
    ]);
    expect(tree.toString()).not.toContain("a.txt");
    const own = events.filter((event) => event.type.startsWith("tool."));
    expect(own.map((event) => `${event.type} ${"tool" in event.data ? event.data.tool : ""}`)).toEqual([
      "tool.intended write",
      "tool.finished write",
      "tool.intended bash",
      "tool.intended edit",
      "tool.intended bash",
      "tool.finished bash",
      "tool.finished read",
      "tool.finished edit",
      "tool.finished bash",
      "tool.intended submit",
      "tool.finished submit",
    ]);
  });

  it("works with tests and node under rules that name just those, and a denial lets the agent go on", async () => {
    const tree = {
      ...files,
      "one/add.mjs": "export const add = (a, b) => a - b;\n",
      "test/add.test.mjs":
        'import { test } from "node:test";\nimport { equal } from "node:assert";\nimport { add } from "../one/add.mjs";\ntest("adds", () => equal(add(2, 2), 4));\n',
      "package.json": '{"name":"x","scripts":{"test":"node --test test/*.test.mjs"}}\n',
    };
    const { result, repository, events } = await run(
      [
        bash("npm test"),
        bash("npm exec evil"),
        { tool: "edit", input: { file_path: "one/add.mjs", old_string: "a - b", new_string: "a + b" } },
        bash("npm test 2>&1 | tail -20"),
        bash("git diff --stat"),
      ],
      { permissions: { allow: rules("Bash(npm test:*)", "Bash(tail:*)", "Bash(git diff:*)"), deny: [] } },
      tree,
    );
    const [red, green, diff] = receipts(events);
    expect(red).toMatchObject({ exit: 1, isError: true });
    expect(green).toMatchObject({ exit: 0, isError: false });
    expect(diff.output).toMatch(/one\/add\.mjs/);
    expect(result.outcome).toBe("succeeded");
    expect(result.denials).toMatchObject([{ tool: "bash", input: "npm exec evil" }]);
    expect(shown(repository, result)("one/add.mjs")).toContain("a + b");
  });

  it("has what it wrote elsewhere put back, with rule and reason, and the agent goes on", async () => {
    const { result, repository, events } = await run([
      bash(
        "echo x > two/c.txt; echo x > .gitattributes; rm .gitignore; echo good > one/a.txt; mkdir -p new/dir && touch new/dir/f",
      ),
      bash("cat two/c.txt; git status --porcelain"),
    ]);
    const [first, second] = receipts(events);
    expect(first).toMatchObject({ exit: 0, isError: true, put_back: 4, files_changed: 1 });
    expect(second.output).toBe("c\n M one/a.txt");
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
    expect(shown(repository, result)("one/a.txt")).toBe("good\n");
    const denied = events.flatMap((event) => (event.type === "tool.denied" ? [event.data] : []));
    expect(denied.map(({ input, rule }) => [input, rule])).toEqual([
      [".gitattributes", "no rule"],
      [".gitignore", "no rule"],
      ["new/dir/f", "no rule"],
      ["two/c.txt", "no rule"],
    ]);
  });

  it("cannot change the scripts of a package.json, and no more can an edit", async () => {
    const evil = '{"name":"x","scripts":{"postinstall":"evil"}}\n';
    const { result, repository } = await run(
      [
        { tool: "write", input: { file_path: "package.json", content: evil } },
        bash("npm pkg set scripts.test=evil"),
        bash("npm pkg set version=2.0.0"),
        { tool: "write", input: { file_path: "one/package.json", content: evil } },
        { tool: "delete", input: { file_path: "package.json" } },
        { tool: "write", input: { file_path: "package.json", content: '{"name":"y"}\n' } },
      ],
      { permissions: { allow: rules("Bash", "Edit"), deny: [] } },
    );
    expect(result.denials.map(({ tool, input, rule }) => [tool, input, rule])).toEqual([
      ["write", "package.json", "protected"],
      ["bash", "package.json", "protected"],
      ["write", "one/package.json", "protected"],
    ]);
    expect(shown(repository, result)("package.json")).toBe('{"name":"y"}\n');
  });

  it("may change them where a rule names the file", async () => {
    const { result } = await run([bash("npm pkg set scripts.test=fine")], {
      permissions: { allow: rules("Bash", "Edit(/package.json)"), deny: [] },
    });
    expect(result).toMatchObject({ outcome: "succeeded", denials: [], tasks: [{ files_changed: 1 }] });
  });

  it("finds no file that may not be read, and nothing in git that would show it", async () => {
    const { events, result } = await run(
      [
        bash(
          "cat secret/key; git show HEAD:secret/key; git log; ls -a; find / -name key 2>/dev/null; echo ok > one/a.txt",
        ),
      ],
      { permissions: { allow: rules("Bash"), deny: rules("Read(secret/**)") } },
      { ...files, "secret/key": "hidden-content\n" },
    );
    expect(receipts(events)[0].output).not.toContain("hidden-content");
    expect(receipts(events)[0].output).not.toMatch(/^\.git$/m);
    expect(receipts(events)[0].output).not.toContain("/secret/key");
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
  });

  it("hides no edit: a task whose edits are all where git ignores fails, as it does without commands", async () => {
    const write = { tool: "write", input: { file_path: "one/x.log", content: "x" } };
    const { result } = await run([bash("true"), write], {}, { ...files, ".gitignore": "*.log\n" });
    expect(result.tasks?.[0]).toMatchObject({ state: "failed", reason: { code: "ignored" } });
  });

  it("is killed at its own timeout", async () => {
    const { events } = await run([bash("echo begun; sleep 60", { timeout_ms: 400 })]);
    expect(receipts(events)[0]).toMatchObject({ timed_out: true, isError: true, output: "begun" });
  });

  it("is no idleness while it runs, and dies with the job; what it did until then is settled and told", async () => {
    const { repository, spec } = await bench.repository(files);
    const more = jobOf([bash("echo 2 > one/a.txt; echo 2 > two/c.txt; touch one/begun; sleep 61")]);
    const limits = { time_ms: 60_000, idle_ms: 300 };
    const submitted = await submit({ spec: { ...spec, ...more, limits }, repository }, bench.equipment);
    if (!("started" in submitted)) throw new Error("not started");
    const workspaces = join(bench.folder, "home/workspaces");
    await vi.waitUntil(
      () => readdirSync(workspaces).some((name) => existsSync(join(workspaces, name, "files/one/begun"))),
      {
        timeout: 20_000,
      },
    );
    await wait(400);
    submitted.started.cancel("SIGINT");
    const result = await submitted.started.done;
    expect(result).toMatchObject({ outcome: "cancelled", exit_code: 130, tasks: [{ state: "cancelled" }] });
    expect(receipts(await eventsOf(bench, submitted.started.id))).toMatchObject([{ stopped: true, put_back: 1 }]);
    expect(execFileSync("ps", ["-eo", "args"]).toString()).not.toMatch(/sleep 61/);
  });

  it("is told in pieces where it prints too much", async () => {
    const { events } = await run([bash("seq 1 20000")]);
    const { output, output_sha256: sha256 } = receipts(events)[0];
    expect(output.length).toBeLessThan(30_000);
    expect(output).toMatch(/^1\n2\n/);
    expect(output).toMatch(/\n20000$/);
    expect(output).toContain(sha256);
  });

  it("finds what the job's setup prepared, made once for all, and what it changes there is nobody's work", async () => {
    const tasks = ["one", "two"].map((id): NamedTask => {
      const command = `cat ignored/lib && rm ignored/lib && echo ${id} > ${id}/out`;
      return { id, writes: [{ directories: [id] }], steps: [stepOf([bash(command)])] };
    });
    const setup = { run: "mkdir ignored && echo prepared > ignored/lib", timeout_ms: 20_000 };
    const { result, events } = await run([], { tasks, setup });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }, { files_changed: 1 }] });
    expect(receipts(events).map(({ output }) => output)).toEqual(["prepared", "prepared"]);
    expect(events.filter(({ type }) => type === "setup.started")).toHaveLength(1);
  });

  it("fails its task with the setup that fails", async () => {
    const setup = { run: "echo why >&2; exit 7", timeout_ms: 20_000 };
    const { result, events } = await run([bash("true")], { setup });
    expect(result).toMatchObject({ outcome: "failed", reason: { code: "setup_failed" } });
    expect(receipts(events)).toEqual([]);
  });

  it("is not offered without a rule, and the job is refused where a rule allows it and no sandbox is", async () => {
    const { result, events } = await run([bash("true")], { permissions: { allow: [], deny: [] } });
    expect(result.denials).toMatchObject([{ tool: "bash", rule: "not offered" }]);
    expect(receipts(events)).toEqual([]);
    const { repository, spec } = await bench.repository(files);
    const sandbox = async () => ({ unavailable: "none is configured", remedy: "configure one" });
    const order = { spec: { ...spec, ...jobOf([bash("true")]) }, repository };
    await expect(submit(order, { ...bench.equipment, sandbox })).rejects.toMatchObject({ code: "sandbox_unavailable" });
  });
});

describe("a hostile command", () => {
  it("leaves nothing anywhere, with rules forced to allow everything", async () => {
    const bait = join(bench.folder, "bait");
    writeFileSync(bait, "operator's own\n", { mode: 0o644 });
    const mark = join(tmpdir(), `sheaf-planted-${process.pid}`);
    const { result, repository, events } = await run(
      [
        [
          bash(
            `echo x > ${bait}; echo x > ${mark}; cat ${bait}; cat /etc/shadow; cat /proc/1/environ | tr '\\0' '\\n'; env`,
          ),
          bash("kill -9 -1; kill -9 1; kill -9 $PPID; true"),
          bash(
            "(exec 3<>/dev/tcp/127.0.0.1/22) 2>&1; (exec 3<>/dev/tcp/169.254.169.254/80) 2>&1; ls -A /run /var/run 2>&1",
          ),
          bash(
            "rm -f .git; mkdir .git; echo 'x' > .git/hooks; mkdir -p one/.git/hooks; echo evil > one/.git/hooks/pre-commit",
          ),
          bash("ln -s /etc one/etc; ln -s ../../.. one/up; mkfifo one/fifo; mkfifo one/.gitignore; chmod 0 one/a.txt"),
          { tool: "read", input: { file_path: "one/fifo" } },
          { tool: "write", input: { file_path: "one/etc/x", content: "x" } },
          { tool: "read", input: { file_path: "one/up/etc/passwd" } },
          bash(
            "setsid sh -c 'sleep 30; echo late > one/late' >/dev/null 2>&1 & disown; nohup sleep 30 >/dev/null 2>&1 & true",
          ),
          bash("git config core.pager evil; git commit -qam x; git update-ref HEAD HEAD~1; git gc; echo done"),
          bash("ls -A one two; cat two/c.txt; ls -la .git"),
        ],
      ],
      { permissions: { allow: rules("Bash", "Edit"), deny: [] } },
    );
    expect(readFileSync(bait, "utf8")).toBe("operator's own\n");
    expect(existsSync(mark)).toBe(false);
    const told = receipts(events);
    expect(told[0].output).not.toContain("operator's own");
    expect(told[0].output).not.toMatch(/root:|DATABASE_URL|VITEST/);
    expect(told[2].output).not.toMatch(/sock/);
    expect(told).toHaveLength(8);
    expect(told.at(-1).output).toMatch(/^one:\na\.txt\netc\n\ntwo:\nc\.txt\nc\n-/);
    expect(result.denials.map(({ input }) => input)).toEqual(
      expect.arrayContaining(["one/.git", "one/etc", "one/fifo"]),
    );
    const { gitDir } = repository;
    expect(readdirSync(join(gitDir, "worktrees"))).toEqual([]);
    expect(execFileSync("git", ["--git-dir", gitDir, "config", "--list"]).toString()).not.toContain("pager");
    const running = execFileSync("ps", ["-eo", "args"]).toString();
    expect(running).not.toMatch(/sleep 30/);
  });
});
