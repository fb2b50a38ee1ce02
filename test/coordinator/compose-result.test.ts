import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nothingSpent } from "../../src/budget/job-budget.ts";
import { nothingLanded } from "../../src/coordinator/landing/landing.ts";
import { composeResult, type Ending } from "../../src/coordinator/result/compose-result.ts";
import type { FinishedTask } from "../../src/coordinator/result/finished-task.ts";
import { jobId, taskId } from "../../src/protocol/ids.ts";
import { type CheckResult, checkState, result } from "../../src/protocol/result.ts";
import { taskState } from "../../src/protocol/task-state.ts";
import { emptySpec } from "../support/job.ts";

const id = "0190a0a0-0000-7000-8000-000000000000";

function task(name: string, state: FinishedTask["state"], more: Partial<FinishedTask> = {}): FinishedTask {
  const filesChanged = state === "succeeded" ? 1 : 0;
  return {
    id: taskId.parse(name),
    ordinal: 0,
    title: name,
    item: {},
    needs: [],
    files: [],
    writes: [],
    steps: [],
    state,
    start: { tree: "t", commit: "c" },
    checks: [],
    attempts: 1,
    filesChanged,
    denials: [],
    ignored: [],
    submissions: [],
    spent: nothingSpent,
    traceparents: [],
    ...more,
  };
}

function check(state: CheckResult["state"]): CheckResult {
  return { name: "tests", at: "t", state, duration_ms: 1, new_failures: null, base_failures: null };
}

function ending(more: Partial<Ending>): Ending {
  return {
    job: {
      id: jobId.parse(id),
      handle: "job-1",
      startedAt: 0,
      span: { traceId: "a".repeat(32) },
      spec: emptySpec("job"),
    },
    tasks: [],
    unsplit: [],
    landing: nothingLanded,
    patches: new Map(),
    lines: new Map(),
    endedAt: 5,
    ...more,
  };
}

const landedAll = (tasks: readonly FinishedTask[], checks: CheckResult[] = []) => ({
  tree: "t2",
  commit: "c2",
  landed: new Set<string>(tasks.filter((each) => each.state === "succeeded").map((each) => each.id)),
  leftOut: new Map(),
  checks,
});

describe("the outcome of a job", () => {
  it.each([
    ["succeeded", 0, ending({ tasks: [task("a", "succeeded")], landing: landedAll([task("a", "succeeded")]) })],
    ["no_changes", 0, ending({ tasks: [task("a", "no_changes")] })],
    ["no_changes", 0, ending({})],
    [
      "failed",
      1,
      ending({ tasks: [task("a", "succeeded")], landing: { ...nothingLanded, checks: [check("failed")] } }),
    ],
    ["failed", 1, ending({ tasks: [task("a", "failed")] })],
    [
      "unverified",
      1,
      ending({ tasks: [task("a", "succeeded")], landing: landedAll([task("a", "succeeded")], [check("unverified")]) }),
    ],
    [
      "partial",
      10,
      ending({
        tasks: [task("a", "succeeded"), task("b", "failed")],
        landing: landedAll([task("a", "succeeded")]),
      }),
    ],
    ["limit", 11, ending({ tasks: [task("a", "limit", { failure: { code: "idle", message: "idle" } })] })],
    ["blocked", 13, ending({ tasks: [task("a", "blocked")] })],
    [
      "cancelled",
      143,
      ending({ stopped: { outcome: "cancelled", failure: { code: "cancelled", message: "" }, signal: "SIGTERM" } }),
    ],
    ["error", 75, ending({ error: { reason: { code: "storage_full", message: "full" }, exit: 75 } })],
  ] as const)("is %s with exit %i", (outcome, exit, story) => {
    const composed = result.parse(composeResult(story));
    expect([composed.outcome, composed.exit_code]).toEqual([outcome, exit]);
  });

  it("names the limit that was met", () => {
    const tasks = [task("a", "limit", { failure: { code: "idle", message: "idle" } })];
    expect(composeResult(ending({ tasks })).limit).toBe("idle");
  });

  it("is never green when anything failed, was refused, was stopped, or work was left out", () => {
    const anyTask = fc.record({ state: fc.constantFrom(...taskState.options), isLanded: fc.boolean() });
    const anyCheck = fc.constantFrom(...checkState.options);
    fc.assert(
      fc.property(fc.array(anyTask, { maxLength: 6 }), fc.array(anyCheck, { maxLength: 3 }), (made, states) => {
        const tasks = made.map(({ state }, index) => task(`t${index}`, state));
        const landed = tasks.filter((each, index) => each.state === "succeeded" && made[index]?.isLanded);
        const leftOut = tasks.filter((each) => each.state === "succeeded" && !landed.includes(each));
        const checks = states.map(check);
        const story = ending({
          tasks,
          landing: {
            ...landedAll(landed, checks),
            leftOut: new Map(leftOut.map((each) => [each.id, { code: "conflict", message: "conflict" }])),
          },
        });
        const composed = result.parse(composeResult(story));
        const isBad =
          tasks.some((each) => !["succeeded", "no_changes"].includes(each.state)) ||
          leftOut.length > 0 ||
          states.some((state) => state === "failed" || state === "unverified");
        expect(composed.exit_code === 0).toBe(!isBad);
      }),
    );
  });
});
