import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommandCheck } from "../../src/protocol/check.ts";
import { judgeCheck, needsBase, type Observation } from "../../src/verify/judge-check.ts";
import type { Reading } from "../../src/verify/report.ts";
import { openTally } from "../../src/verify/tally.ts";
import { commandCheck } from "../support/job.ts";

type Expectation = CommandCheck["expect"];

function tests(failed: readonly string[], passed: readonly string[] = ["well"]): Reading {
  const tally = openTally("test");
  for (const name of failed) tally.failed(name);
  for (const name of passed) tally.passed(name);
  return tally.report();
}

function findings(...messages: readonly string[]): Reading {
  const tally = openTally("finding");
  for (const message of messages) tally.found({ path: "a.js", message });
  return tally.report();
}

function seen(report: Reading, exit?: number): Observation {
  const isRed = "failing" in report && report.failing.size > 0;
  const usual = { signal: null, isTimedOut: false, durationMs: 10, tail: "tail" };
  return { tree: "t", exit: exit ?? (isRed ? 1 : 0), ...usual, report };
}

function judge(expect: Expectation, after: Observation, base: Observation) {
  const check = commandCheck("npm test", { expect, parse: "junit" });
  return judgeCheck(check, after, needsBase(check, after) ? base : undefined);
}

const missing: Reading = { unreadable: "it was not written" };

describe("no-new-failures by names", () => {
  it("blames nobody for what was red before", () => {
    const judged = judge("no-new-failures", seen(tests(["old"])), seen(tests(["old", "gone"])));
    expect(judged).toMatchObject({ state: "passed", new_failures: 0, base_failures: 2 });
    expect(judged.detail).toBe("1 test fails, all of that at the base too");
  });

  it("names what is new, however many were red before", () => {
    const judged = judge("no-new-failures", seen(tests(["old", "new"])), seen(tests(["old", "gone"])));
    expect(judged).toMatchObject({ state: "failed", new_failures: 1, base_failures: 2, failing: ["new"] });
    expect(judged.detail).toContain("new");
  });

  it("counts findings that are alike", () => {
    const base = seen(findings("x", "y"));
    expect(judge("no-new-failures", seen(findings("x", "y")), base).state).toBe("passed");
    expect(judge("no-new-failures", seen(findings("x", "x", "y")), base)).toMatchObject({
      state: "failed",
      new_failures: 1,
    });
  });

  it("takes exit 0 with failures for red", () => {
    expect(judge("no-new-failures", seen(tests(["a"]), 0), seen(tests([]))).state).toBe("failed");
    expect(judge("pass", seen(tests(["a"]), 0), seen(tests([]))).state).toBe("failed");
  });

  it("takes exit 1 without a failure for red, and for unverified where the base does the same", () => {
    const quiet = seen(tests([]), 1);
    expect(judge("no-new-failures", quiet, seen(tests([])))).toMatchObject({ state: "failed", new_failures: null });
    expect(judge("no-new-failures", quiet, quiet).state).toBe("unverified");
    expect(judge("no-new-failures", quiet, seen(tests(["a"]))).state).toBe("unverified");
    expect(judge("pass", quiet, quiet).state).toBe("failed");
  });

  it("is red where the command no longer forgives the same failures", () => {
    expect(judge("no-new-failures", seen(tests(["a"]), 1), seen(tests(["a"]), 0)).state).toBe("failed");
  });

  it("makes nothing of no tests, of no report, and of a killed command", () => {
    const empty = seen(tests([], []));
    expect(judge("no-new-failures", empty, seen(tests([]))).state).toBe("failed");
    expect(judge("no-new-failures", empty, seen(tests(["a"]))).state).toBe("failed");
    expect(judge("no-new-failures", empty, empty).state).toBe("unverified");
    expect(judge("pass", empty, empty).state).toBe("failed");
    expect(judge("no-new-failures", seen(missing, 0), seen(tests([]))).state).toBe("failed");
    expect(judge("no-new-failures", seen(missing, 0), seen(missing, 0)).state).toBe("unverified");
    expect(judge("no-new-failures", seen(tests(["old"]), 137), seen(tests(["old"]))).state).toBe("failed");
    expect(judge("no-new-failures", seen(tests(["a"])), seen(missing)).state).toBe("unverified");
  });
});

describe("fixed and fewer", () => {
  it.each([
    ["fixed", [], ["a"], "passed"],
    ["fixed", ["a"], ["a", "b"], "failed"],
    ["fixed", [], [], "failed"],
    ["fewer", ["a"], ["a", "b"], "passed"],
    ["fewer", ["c"], ["a", "b"], "failed"],
    ["fewer", ["a", "b"], ["a", "b"], "failed"],
    ["fewer", [], ["a"], "passed"],
    ["fewer", [], [], "failed"],
  ] as const)("%s with %j now and %j at the base is %s", (expected, now, base, state) => {
    expect(judge(expected, seen(tests(now)), seen(tests(base))).state).toBe(state);
  });

  it("does not take a file that cannot be loaded any more for an improvement", () => {
    const judged = judge("fewer", seen(tests(["a.test (could not be run)"])), seen(tests(["a > 1", "a > 2"])));
    expect(judged.state).toBe("failed");
    expect(judged.detail).toContain("2 of the tests that failed there did not run");
    expect(judge("fewer", seen(tests(["new"], ["a > 1", "a > 2"])), seen(tests(["a > 1", "a > 2"]))).state).toBe(
      "passed",
    );
  });

  it("counts findings down", () => {
    expect(judge("fewer", seen(findings("x")), seen(findings("x", "x")))).toMatchObject({
      state: "passed",
      detail: "1 finding, 2 at the base",
    });
    expect(judge("fewer", seen(findings("x")), seen(missing)).state).toBe("unverified");
    expect(judge("fewer", seen(missing, 0), seen(findings("x"))).state).toBe("failed");
  });
});

const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 5 });
const reading = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(names, names).map(([failed, passed]) => tests(failed, passed)) },
  { weight: 1, arbitrary: fc.constant(missing) },
);
const exit = fc.constantFrom(undefined, 0, 1, 2, 137);
const observation = fc.tuple(reading, exit).map(([report, code]) => seen(report, code));
const expectation = fc.constantFrom<Expectation>("pass", "no-new-failures", "fixed", "fewer");

describe("whatever was seen", () => {
  it("one more failure never turns a check green", () => {
    fc.assert(
      fc.property(expectation, observation, observation, names, (expected, after, base, more) => {
        const { report } = after;
        if (judge(expected, after, base).state === "passed" || !report || "unreadable" in report) return;
        // Where an exit code hides a failure that the report does not name, naming one would explain it.
        if (after.exit !== 0 && (report.failing.size === 0 || after.exit === 137)) return;
        const worse = tests([...report.failing.keys(), ...more, "one more"], [...report.passed]);
        for (const exit of new Set([after.exit, 1])) {
          expect(judge(expected, { ...after, exit, report: worse }, base).state).not.toBe("passed");
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("nothing is green without a readable report in which something ran", () => {
    fc.assert(
      fc.property(expectation, observation, observation, (expected, after, base) => {
        if (judge(expected, after, base).state !== "passed") return;
        expect(after.report).toMatchObject({ looked: expect.any(Number) });
        expect(after.exit).not.toBe(137);
        if (!after.report || "unreadable" in after.report) return;
        expect(after.report.looked).toBeGreaterThan(0);
        expect(after.exit === 0 || after.report.failing.size > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
