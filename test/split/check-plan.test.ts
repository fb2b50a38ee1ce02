import fc from "fast-check";
import { expect, it } from "vitest";
import { decide } from "../../src/permission/decide.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import { type PlannedJob, plannedJob } from "../../src/protocol/plan.ts";
import type { Task } from "../../src/protocol/task.ts";
import { checkPlan, type PlanGround } from "../../src/split/check-plan.ts";
import { planSplit } from "../../src/split/plan-split.ts";
import { withPlan } from "../../src/split/planned-tasks.ts";
import { jobOf, promptStep, viewOf, writersOf } from "./view.ts";

const files = ["src/a.ts", "src/b.ts", "src/[id].ts", "src/deep/c.ts", "lib/d.ts", "README.md"];
const view = viewOf(files);
const step = promptStep();
const worker = step.kind === "agent" ? step.agent : undefined;
const spec: JobSpec = { ...jobOf({ by: "planner" }), each: [], ...(worker ? { worker, planner: worker } : {}) };
const ground: PlanGround = {
  spec,
  view,
  refusedEdit(pattern, path) {
    const scope = taskScope({ writes: [pattern], job: spec.permissions, tools: [] });
    const { effect, reason } = decide(scope, "Edit", path, { isCaseInsensitive: false });
    return effect === "deny" ? reason : undefined;
  },
  refusedCommand: () => "no commands here",
};

const paths = [
  ...files,
  ...["src/", "src/**", "src/*.ts", "**/*.ts", "*.md", "new.ts", "/new.ts", "made/", "made/x.ts", "src/deep"],
  ...[
    ".npmrc",
    ".npmr\\c",
    "[.]npmrc",
    ".github/workflows/ci.yml",
    ".git/config",
    "../up",
    "/etc/passwd",
    "src/a.ts/x",
  ],
];
const ids = ["one", "two", "Two", "three", "plan", "four"];
const anyPlan = fc.record({
  summary: fc.constant("s"),
  tasks: fc.array(
    fc.record(
      {
        id: fc.constantFrom(...ids),
        title: fc.constant("t"),
        goal: fc.constantFrom("g", `say \${{ item.path }} and \${{ nonsense`),
        writes: fc.array(fc.constantFrom(...paths), { minLength: 1, maxLength: 3 }),
        needs: fc.array(fc.constantFrom(...ids), { maxLength: 2 }),
      },
      { requiredKeys: ["id", "title", "goal", "writes"] },
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

function isOrdered(plan: PlannedJob, from: string, to: string): boolean {
  const needs = plan.tasks.find(({ id }) => id === from)?.needs ?? [];
  return needs.some((need) => need === to || isOrdered(plan, need, to));
}

function expectHarmless({ writes, steps }: Task): void {
  const scope = taskScope({ writes, job: spec.permissions, tools: [] });
  for (const path of [".npmrc", ".github/workflows/ci.yml", ".git/config"]) {
    expect(decide(scope, "Edit", path, { isCaseInsensitive: false }).effect).toBe("deny");
  }
  expect(steps[0]?.kind === "agent" && steps[0].prompt).toMatch(
    /^(g|say \$\{\{ item\.path \}\} and \$\{\{ nonsense)\n/,
  );
}

it("a plan without a problem splits, gives nobody a protected file, and no file to two at once", () => {
  fc.assert(
    fc.property(anyPlan, (written) => {
      const plan = plannedJob.parse(written);
      if (checkPlan(plan, ground).length > 0) return;
      const { tasks } = planSplit(withPlan(spec, plan, view), view);
      expect(tasks.map(({ id }) => id).sort()).toEqual(plan.tasks.map(({ id }) => id).sort());
      for (const path of [...files, "new.ts", "made/x.ts", "made/y.ts"]) {
        const [first = "", ...others] = writersOf(path, tasks, view);
        for (const other of others) expect(isOrdered(plan, first, other) || isOrdered(plan, other, first)).toBe(true);
      }
      for (const task of tasks) expectHarmless(task);
    }),
    { numRuns: 2_000 },
  );
});

it("reads a name as what is there under it, whatever marks it holds", () => {
  const plan = plannedJob.parse({
    summary: "s",
    tasks: [
      { id: "one", title: "t", goal: "g", writes: ["src/[id].ts", "src/deep"] },
      { id: "two", title: "t", goal: "g", writes: ["src/a.ts", "made/"] },
    ],
  });
  expect(checkPlan(plan, ground)).toEqual([]);
  const writes = planSplit(withPlan(spec, plan, view), view).tasks.map((task) => task.writes);
  expect(writes).toEqual([
    [{ files: ["src/[id].ts"] }, { directories: ["src/deep"] }],
    [{ files: ["src/a.ts"] }, { directories: ["made"] }],
  ]);
});

it("a circle of needs is told once, by all who are in it", () => {
  const task = (id: string, needs: string[]) => ({ id, title: "t", goal: "g", writes: [`${id}.txt`], needs });
  const plan = plannedJob.parse({ summary: "s", tasks: [task("a", ["b"]), task("b", ["c"]), task("c", ["a"])] });
  expect(checkPlan(plan, ground)).toEqual(["tasks: these need each other in a circle, or need one of it: a, b, c"]);
});

it("is told of agents that are not there, and of files outside of what the job is about", () => {
  const plan = plannedJob.parse({
    summary: "s",
    tasks: [{ id: "one", title: "t", goal: "g", writes: ["lib/d.ts"], agent: "fixer", checks: ["make"] }],
  });
  const narrowed = { ...ground, spec: { ...spec, only: { glob: "src/**" } } };
  expect(checkPlan(plan, narrowed)).toEqual([
    'tasks[0].agent: there is no agent "fixer"; leave it out: there are none to choose',
    "tasks[0].checks[0]: no commands here",
    'tasks[0].writes[0]: "lib/d.ts": the job is only about other files',
  ]);
});

it("says when the tasks write more than can be looked up, before it looks at any of it", () => {
  const writes = Array.from({ length: 1_000 }, (_, at) => `src/${at}*`);
  const tasks = ["one", "two", "three"].map((id) => ({ id, title: "t", goal: "g", writes }));
  const looked = { ...ground, view: { ...view, matches: () => expect.unreachable("it was looked at") } };
  expect(checkPlan(plannedJob.parse({ summary: "s", tasks }), looked)).toEqual([
    "tasks: they have 3000 writes together, and at most 2000 are taken; name folders, or larger globs",
  ]);
});

it("a glob that may reach into a folder that is yet to be made shares it", () => {
  const planOf = (glob: string) =>
    plannedJob.parse({
      summary: "s",
      tasks: [
        { id: "one", title: "t", goal: "g", writes: [glob] },
        { id: "two", title: "t", goal: "g", writes: ["made/"] },
      ],
    });
  expect(checkPlan(planOf("**/*.ts"), ground)).toEqual([
    'tasks[1].writes: "made/" may be edited by both one and two; make their writes disjoint, or let one need the other',
  ]);
  expect(checkPlan(planOf("src/**/*.ts"), ground)).toEqual([]);
});
