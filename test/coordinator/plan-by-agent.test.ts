import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentSpec, ScriptedTurn } from "../../src/protocol/agent.ts";
import { jobId } from "../../src/protocol/ids.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import { plannedJob } from "../../src/protocol/plan.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ lookMs: 1_500 });
});
afterAll(() => bench[Symbol.asyncDispose]());

const files = {
  "src/a.txt": "a\n",
  "src/b.txt": "b\n",
  "lib/c.txt": "c\n",
  ".npmrc": "x=y\n",
};

function scripted(name: string, turns: ScriptedTurn[]): AgentSpec {
  return { name, instructions: "", model: { provider: "scripted", file: `${name}.yaml`, turns } };
}

const plans = (...inputs: unknown[]): AgentSpec =>
  scripted("planner", [...inputs.map((input) => ({ calls: [{ tool: "plan", input }] })), { say: "no more" }]);

/** Edits one file, whichever of the two it is allowed to. */
const worker = scripted("worker", [
  {
    calls: ["src/a.txt", "lib/c.txt"].map((file_path) => ({
      tool: "write",
      input: { file_path, content: "done\n" },
    })),
  },
  { calls: [{ tool: "submit", input: { summary: "done" } }] },
]);

const good = {
  summary: "two parts",
  tasks: [
    { id: "one", title: "First", goal: `write a, not \${{ task.files }}`, writes: ["src/a.txt"], reads: ["src/b.txt"] },
    { id: "two", title: "Second", goal: "write c", writes: ["lib/"], needs: ["one"] },
  ],
};

async function run(planner: AgentSpec, more: Partial<JobSpec> = {}) {
  const { repository, spec } = await bench.repository(files);
  const planned: JobSpec = { ...spec, prompt: "the goal", split: { by: "planner" }, planner, worker, ...more };
  const submitted = await bench.coordinator.submit({ spec: planned, repository });
  const result = await submitted.done;
  const read = (path: string) =>
    execFileSync("git", ["show", `${result.result_tree}:${path}`], { cwd: repository.gitDir, encoding: "utf8" });
  const events = [];
  for await (const batch of bench.coordinator.events(submitted.id, { after: 0, isFollowed: false }))
    events.push(...batch.map(({ event }) => event));
  return { result, read, events, id: submitted.id, spec };
}

describe("a job that a planner splits", () => {
  it("runs the tasks of its plan, in their scopes and in the order of their needs", async () => {
    const { result, read, events, id } = await run(plans(good), { permissions: { allow: [], deny: [], mode: "deny" } });
    expect(result.tasks.map(({ id: task, title, state }) => [task, title, state])).toEqual([
      ["one", "First", "succeeded"],
      ["two", "Second", "succeeded"],
    ]);
    expect([read("src/a.txt"), read("src/b.txt"), read("lib/c.txt")]).toEqual(["done\n", "b\n", "done\n"]);
    expect(result.plan).toMatchObject({ strategy: "planner", plan: good, forecast: { tasks: 2, input_tokens: 0 } });
    const planned = events.find(({ type }) => type === "job.planned");
    expect(planned?.data).toMatchObject({ strategy: "planner", plan: good });
    const spans = await bench.coordinator.trace(id);
    const plan = spans.find(({ name }) => name === "plan planner");
    expect(spans.find(({ name }) => name === "invoke_agent planner")?.parent_span_id).toBe(plan?.span_id);
    const explained = await bench.coordinator.explain(jobId.parse(id), { call: "Edit(src/a.txt)" });
    expect(explained.map(({ task, effect }) => [task, effect])).toEqual([
      ["one", "allow"],
      ["two", "deny"],
    ]);
  });
});

describe("a plan that cannot be carried out", () => {
  const bad = {
    summary: "bad",
    land: "together",
    tasks: [
      { id: "one", title: "t", goal: "g", writes: ["src/a.txt", ".npmrc", ".npmr\\c", "nothing/*.ts"] },
      { id: "One", title: "t", goal: "g", writes: ["src/a.txt"], needs: ["three"], agent: "nobody" },
      { id: "plan", title: "t", goal: "g", writes: ["../x"], checks: ["rm -rf /"] },
    ],
  };

  it("comes back with every problem and its place, and may be corrected once", async () => {
    const { result, events } = await run(plans(bad, { ...good, land: "together" }));
    expect(result).toMatchObject({ outcome: "succeeded", plan: { plan: { land: "together" } } });
    const denied = events.flatMap((event) => (event.type === "tool.denied" ? [event.data] : []));
    const reason = denied.find(({ tool }) => tool === "plan")?.reason ?? "";
    for (const place of [
      "tasks[0].writes[1]",
      "tasks[0].writes[2]",
      "tasks[0].writes[3]",
      "tasks[1].id",
      "tasks[1].needs[0]",
      "tasks[1].agent",
      "tasks[2].id",
      "tasks[2].writes[0]",
      "tasks[2].checks[0]",
    ]) {
      expect(reason).toContain(`- ${place}: `);
    }
  });

  it("ends the job the second time, and nothing has run", async () => {
    const { result } = await run(plans(bad, bad, good));
    expect(result).toMatchObject({ outcome: "failed", exit_code: 1, reason: { code: "plan" }, tasks: [] });
    expect(result.reason?.message).toMatch(
      /^also when it was corrected, the plan cannot be carried out:\n- tasks\[0\]/,
    );
  });

  it("is what is no plan at all too, which counts like any other", async () => {
    const unreadable = { summary: "s", tasks: [{ id: "one", title: "t", goal: "g", writes: [] }], extra: 1 };
    const once = await run(plans(unreadable, good));
    expect(once.result.outcome).toBe("succeeded");
    const denied = once.events.flatMap((event) => (event.type === "tool.denied" ? [event.data.reason] : []));
    expect(denied[0]).toContain("- tasks[0].writes: ");
    const { result } = await run(plans(unreadable, bad, good));
    expect(result).toMatchObject({ outcome: "failed", reason: { code: "plan" }, tasks: [] });
    const twice = await run(plans({}, {}, good));
    expect(twice.result.reason?.message).toMatch(/^also when it was corrected, .*\n- summary: /);
  });

  it("is one where two tasks that run side by side share a file, there or not", async () => {
    const overlapping = {
      summary: "s",
      tasks: [
        { id: "one", title: "t", goal: "g", writes: ["src/**", "new/", "fresh.txt"] },
        { id: "two", title: "t", goal: "g", writes: ["src/b.txt"] },
        { id: "three", title: "t", goal: "g", writes: ["new/x.txt"] },
        { id: "four", title: "t", goal: "g", writes: ["new/"] },
        { id: "five", title: "t", goal: "g", writes: ["fresh.txt"], needs: ["one"] },
      ],
    };
    const { result } = await run(plans(overlapping));
    const message = result.reason?.message ?? "";
    expect(message).toContain('tasks[1].writes: "src/b.txt" may be edited by both one and two');
    expect(message).toContain('tasks[2].writes: "new/x.txt" may be edited by both one and three');
    expect(message).toContain('"new/" may be edited by both one and four');
    expect(message).not.toContain("five");
  });

  it("is one that leaves a matching file to nobody, or makes too many tasks", async () => {
    const { result } = await run(plans(good), { split: { by: "planner", tasks: 1, match: { glob: "src/*.txt" } } });
    expect(result.reason?.message).toContain("tasks: there are 2, and the job takes at most 1");
    expect(result.reason?.message).toContain('no task may edit "src/b.txt"');
  });

  it("is not there at all where the planner only talks", async () => {
    const { result } = await run(scripted("planner", [{ say: "I would rather not" }]));
    expect(result).toMatchObject({ outcome: "failed", reason: { code: "plan" } });
    expect(result.reason?.message).toMatch(/ended without a plan/);
  });
});

describe("a planner", () => {
  it("is offered what reads, whatever the job allows its tasks", async () => {
    const curious = scripted("planner", [
      {
        calls: [
          { tool: "write", input: { file_path: "src/a.txt", content: "mine\n" } },
          { tool: "bash", input: { command: "true" } },
          { tool: "read", input: { file_path: "src/a.txt" } },
        ],
      },
      { calls: [{ tool: "plan", input: { summary: "s", tasks: [good.tasks[0]] } }] },
      { say: "over" },
    ]);
    const { result, events } = await run(curious, {
      permissions: { allow: [{ id: "Bash", tool: "Bash" }], deny: [] },
      is_plan_only: true,
    });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [], plan: { plan: { summary: "s" } } });
    const denied = events.flatMap((event) => (event.type === "tool.denied" ? [event.data.tool] : []));
    expect(denied).toEqual(["write", "bash"]);
  });

  it("is told how the checks do at the base, and one that was only found and cannot run goes", async () => {
    const found = { is_found: true };
    const checks = [
      commandCheck("grep -q a src/a.txt", { name: "green", ...found }),
      commandCheck("false", { name: "red", ...found }),
      commandCheck("no-such-program", { name: "gone", ...found }),
    ];
    const { result } = await run(plans(good), { checks, is_plan_only: true });
    const states = result.plan?.base_checks?.map(({ name, state, is_left_out }) => [name, state, is_left_out]);
    expect(states).toEqual([
      ["green", "green", undefined],
      ["red", "red", undefined],
      ["gone", "unrunnable", true],
    ]);
  });

  it("may give a task a check of the job, which is run on that task's own tree", async () => {
    const checks = [commandCheck("grep -q done src/a.txt", { name: "done", expect: "pass" })];
    const [first] = good.tasks;
    const plan = { summary: "s", tasks: [{ ...first, checks: ["grep -q done src/a.txt"] }] };
    const writer = scripted("worker", [
      { calls: [{ tool: "write", input: { file_path: "src/a.txt", content: "done\n" } }] },
      { calls: [{ tool: "submit", input: { summary: "done" } }] },
    ]);
    const { result } = await run(plans(plan), { checks, worker: writer });
    expect(result).toMatchObject({ outcome: "succeeded" });
    expect(result.checks.map(({ name, task, state }) => [name, task, state])).toEqual([
      ["done", "one", "passed"],
      ["done", undefined, "passed"],
    ]);
  });
});

describe("a plan made before", () => {
  it("is executed as it is, and no planner is asked", async () => {
    const nobody = scripted("planner", [{ say: "nobody asks me" }]);
    const { result, events } = await run(nobody, { plan: plannedJob.parse({ summary: "s", tasks: [good.tasks[0]] }) });
    expect(result.tasks.map(({ id }) => id)).toEqual(["one"]);
    expect(events.some((event) => event.type === "task.started" && event.data.task_id === "plan")).toBe(false);
  });

  it("is refused where it cannot be carried out", async () => {
    const { result } = await run(plans(good), { plan: bad() });
    expect(result).toMatchObject({ outcome: "error", exit_code: 65 });
    expect(result.reason?.message).toContain('tasks[0].writes[0]: "gone/*"');
  });

  const bad = () =>
    plannedJob.parse({ summary: "s", tasks: [{ id: "one", title: "t", goal: "g", writes: ["gone/*"] }] });
});
