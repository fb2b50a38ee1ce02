import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJobEvents } from "../../src/db/read-events.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobId } from "../../src/protocol/ids.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Step } from "../../src/protocol/step.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { commandCheck, newBranch } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const nodeProtocol: Step = {
  kind: "agent",
  agent: { name: "node-protocol", instructions: "", model: { provider: "recipe", recipe: { name: "node-protocol" } } },
  prompt: "",
};

const sources = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [
    `src/m${index}.js`,
    `const fs = require('fs')\nmodule.exports = fs.existsSync\n`,
  ]),
);

async function run(files: Readonly<Record<string, string>>, more: Partial<JobSpec>) {
  const { repository, spec } = await bench.repository(files);
  const submitted = await bench.coordinator.submit({ spec: { ...spec, ...more }, repository });
  const result = await submitted.done;
  return { result, repository, events: await eventsOf(submitted.id) };
}

async function eventsOf(id: JobId): Promise<Event[]> {
  const all: Event[] = [];
  for (let after = 0; ; ) {
    const page = await readJobEvents(id, after, bench.equipment.database);
    all.push(...page.map(({ event }) => event));
    if (page.length === 0) return all;
    after = page.at(-1)?.pos ?? after;
  }
}

describe("a job", () => {
  it("splits, runs, folds and checks, and its commit holds exactly the rewritten files", async () => {
    const { result, repository } = await run(sources, {
      split: { by: "files", files: 10 },
      each: [nodeProtocol],
      checks: [commandCheck('for f in src/*.js; do node "$f" || exit 1; done', { name: "loads", expect: "pass" })],
    });
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0, checks: [{ state: "passed" }] });
    expect(result.tasks.map((task) => [task.files_changed, task.insertions, task.deletions, task.landed])).toEqual(
      Array.from({ length: 6 }, () => [10, 10, 10, true]),
    );
    const show = (path: string) =>
      execFileSync("git", ["--git-dir", repository.gitDir, "show", `${result.result_commit}:${path}`]).toString();
    for (const [path, text] of Object.entries(sources)) expect(show(path)).toBe(text.replace("'fs'", "'node:fs'"));
    // The user's checkout has not moved.
    expect(readFileSync(`${repository.user.top}/src/m0.js`, "utf8")).toBe(sources["src/m0.js"]);
  });

  it("makes two appends a turn, each intent before its effect, in logs without gaps", async () => {
    const { events } = await run({ "README.md": "x\n" }, { tasks: [writingTask("one")] });
    const started = events.find((event) => event.type === "task.started");
    const runId = started?.type === "task.started" ? started.data.run_id : "";
    const own = events.filter((event) => event.run_id === runId);
    expect(own.map((event) => event.seq)).toEqual(own.map((_, index) => index + 1));
    expect(own.map((event) => event.type)).toEqual([
      "run.started",
      "turn.started",
      "turn.finished",
      "tool.intended",
      "tool.finished",
      "turn.started",
      "turn.finished",
      "tool.intended",
      "tool.finished",
      "run.finished",
    ]);
    const changed = own.find((event) => event.type === "tool.finished");
    expect(changed?.data).toMatchObject({ changed: [{ path: "one/out.txt", mode: "100644" }] });
  });

  it("lands nothing of a red tree, and keeps every task's commit and patch", async () => {
    const { result, repository } = await run(
      { "README.md": "x\n" },
      {
        tasks: [writingTask("one"), writingTask("two")],
        checks: [commandCheck("test ! -e two/out.txt", { name: "no two" })],
        publish: newBranch("never"),
      },
    );
    expect(result).toMatchObject({ outcome: "failed", exit_code: 1, result_commit: null, reason: { check: "no two" } });
    for (const task of result.tasks) {
      expect(task.landed).toBe(false);
      expect(readFileSync(task.patch_file ?? "", "utf8")).toContain(`+written by ${task.id}`);
      execFileSync("git", ["--git-dir", repository.gitDir, "cat-file", "-e", `${task.commit}^{commit}`]);
    }
    expect(execFileSync("git", ["-C", repository.user.top, "branch", "--list", "never"]).toString()).toBe("");
  });

  it("leaves the later of two conflicting tasks out, with the hunks and its patch", async () => {
    const edit = (id: string, text: string) => {
      const input = { file_path: "shared.txt", old_string: "base", new_string: text };
      const turns = [{ calls: [{ tool: "edit", input }] }];
      const step: Step = {
        kind: "agent",
        agent: { name: id, instructions: "", model: { provider: "scripted", file: id, turns } },
        prompt: "edit",
      };
      return { id, writes: [{ directories: [id] }], steps: [step] };
    };
    const { result } = await run(
      { "shared.txt": "base\n" },
      {
        tasks: [edit("first", "ours"), edit("second", "theirs")],
        permissions: { allow: [{ id: "Edit(shared.txt)", tool: "Edit", paths: { glob: "/shared.txt" } }], deny: [] },
      },
    );
    expect(result).toMatchObject({ outcome: "partial", exit_code: 10 });
    expect(result.tasks).toMatchObject([
      { id: "first", landed: true },
      { id: "second", landed: false, reason: { code: "conflict" } },
    ]);
    expect(result.tasks[1]?.reason?.log).toContain("theirs");
    expect(readFileSync(result.tasks[1]?.patch_file ?? "", "utf8")).toContain("+theirs");
  });

  it("lands nothing of `land: together` when one task does not deliver", async () => {
    const refuse: Step = {
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
    const tasks = [writingTask("one"), { id: "two", writes: [{ directories: ["two"] }], steps: [refuse] }];
    const { result } = await run({ "README.md": "x\n" }, { tasks, land: "together" });
    expect(result).toMatchObject({ outcome: "failed", result_commit: null });
    expect(result.tasks).toMatchObject([{ landed: false }, { state: "failed", reason: { message: "I will not" } }]);
  });

  it("says no_changes, and runs no check, when there is nothing to do", async () => {
    const { result, events } = await run(
      { "a.js": "1\n" },
      {
        each: [nodeProtocol],
        split: { by: "files" },
        checks: [commandCheck("exit 1", { name: "never" })],
      },
    );
    expect(result).toMatchObject({ outcome: "no_changes", exit_code: 0, checks: [{ state: "skipped" }] });
    expect(events.some((event) => event.type === "check.started")).toBe(false);
  });

  it("records one trace in which every span is reachable from the root and none is open", async () => {
    const { result } = await run(sources, { split: { by: "files", files: 20 }, each: [nodeProtocol] });
    const spans = await readTrace(result.job.id as JobId, bench.equipment.database);
    const byId = new Map(spans.map((span) => [span.span_id, span]));
    const roots = spans.filter((span) => span.parent_span_id === undefined || !byId.has(span.parent_span_id));
    expect(roots.map((span) => span.name)).toEqual(["invoke_workflow job"]);
    expect(spans.filter((span) => span.dur_ns === null)).toEqual([]);
    const count = (name: string) => spans.filter((span) => span.name.startsWith(name)).length;
    expect(["plan", "sheaf.queue", "invoke_agent", "chat", "execute_tool", "sheaf.merge"].map(count)).toEqual([
      1, 3, 3, 6, 6, 1,
    ]);
    const merge = spans.find((span) => span.name.startsWith("sheaf.merge"));
    expect(merge?.links.map((link) => byId.get(link.span_id)?.name)).toEqual(
      Array(3).fill("invoke_agent node-protocol"),
    );
    expect(new Set(spans.map((span) => span.trace_id))).toEqual(new Set([result.trace_id]));
  });
});
