import { describe, expect, it } from "vitest";
import type { CommandCheck } from "../../src/protocol/check.ts";
import { judgeCheck, needsBase, type Observation } from "../../src/verify/judge-check.ts";
import { commandCheck } from "../support/job.ts";

const check = (expected: CommandCheck["expect"]) => commandCheck("npm test", { expect: expected });
const seen = (exit: number | null, more: Partial<Observation> = {}): Observation => ({
  tree: "t",
  exit,
  signal: null,
  isTimedOut: false,
  durationMs: 10,
  tail: "last words",
  ...more,
});

describe("a check that expects no new failures", () => {
  it("passes on green without asking about the base", () => {
    expect(needsBase(check("no-new-failures"), seen(0))).toBe(false);
    expect(judgeCheck(check("no-new-failures"), seen(0), undefined).state).toBe("passed");
  });

  it("fails on red where the base is green", () => {
    expect(needsBase(check("no-new-failures"), seen(1))).toBe(true);
    const judged = judgeCheck(check("no-new-failures"), seen(1), seen(0));
    expect(judged).toMatchObject({ state: "failed", new_failures: 1, base_failures: 0, tail: "last words" });
  });

  it("is unverified where an exit code is red before and after", () => {
    expect(judgeCheck(check("no-new-failures"), seen(1), seen(1)).state).toBe("unverified");
  });

  it("takes a check that hangs for red", () => {
    const judged = judgeCheck(check("no-new-failures"), seen(null, { isTimedOut: true, signal: "SIGKILL" }), seen(0));
    expect(judged.state).toBe("failed");
    expect(judged.detail).toContain("no end after");
  });
});

describe("a check that expects something of the base", () => {
  it.each([
    ["fixed", 0, 1, "passed"],
    ["fixed", 0, 0, "failed"],
    ["fixed", 1, 1, "failed"],
    ["fewer", 0, 1, "passed"],
    ["fewer", 1, 1, "failed"],
  ] as const)("%s with exit %i now and %i at the base is %s", (expected, now, base, state) => {
    const asked = needsBase(check(expected), seen(now)) ? seen(base) : undefined;
    expect(judgeCheck(check(expected), seen(now), asked).state).toBe(state);
  });

  it("pass asks nothing of the base", () => {
    expect(needsBase(check("pass"), seen(1))).toBe(false);
    expect(judgeCheck(check("pass"), seen(1), undefined).state).toBe("failed");
    expect(judgeCheck(check("pass"), seen(0), undefined).state).toBe("passed");
  });
});
