import { describe, expect, it } from "vitest";
import { judgeTask } from "../../src/coordinator/result/judge-task.ts";
import { noUsage } from "../../src/protocol/message.ts";
import type { RunReport } from "../../src/protocol/thread.ts";

const report = (more: Partial<RunReport> = {}): RunReport => ({
  state: "succeeded",
  turns: 1,
  usage: noUsage,
  ...more,
});
const denial = { tool: "write", input: "../x", rule: "outside", reason: "it is outside" };

describe("the verdict on a task", () => {
  it("is what the tree says, not what the agent says", () => {
    const submission = { summary: "I changed everything" };
    expect(judgeTask({ reports: [report({ submission })], denials: [], ignored: [], filesChanged: 0 }).state).toBe(
      "no_changes",
    );
    expect(judgeTask({ reports: [report()], denials: [], ignored: [], filesChanged: 2 }).state).toBe("succeeded");
  });

  it("is blocked when a denial left it with nothing, and only listed when it delivered all the same", () => {
    expect(judgeTask({ reports: [report()], denials: [denial], ignored: [], filesChanged: 0 }).state).toBe("blocked");
    expect(judgeTask({ reports: [report()], denials: [denial], ignored: [], filesChanged: 1 }).state).toBe("succeeded");
  });

  it("is failed when a step failed or refused, whatever an earlier step delivered", () => {
    const failure = { code: "script", message: "bad turn" };
    const failed = judgeTask({
      reports: [report(), report({ state: "failed", failure })],
      denials: [],
      ignored: [],
      filesChanged: 3,
    });
    expect(failed).toEqual({ state: "failed", failure });
    const submission = { summary: "", refused: "not my job" };
    expect(
      judgeTask({ reports: [report({ submission })], denials: [], ignored: [], filesChanged: 3 }).failure?.code,
    ).toBe("refused");
  });

  it("is limit for idle, time and turns, and cancelled for a cancel", () => {
    for (const code of ["idle", "time", "turns"]) {
      const reports = [report({ state: "cancelled", failure: { code, message: code } })];
      expect(judgeTask({ reports, denials: [], ignored: [], filesChanged: 1 }).state).toBe("limit");
    }
    const reports = [report({ state: "cancelled", failure: { code: "cancelled", message: "" } })];
    expect(judgeTask({ reports, denials: [denial], ignored: [], filesChanged: 1 }).state).toBe("cancelled");
  });

  it("is failed when its diff may not be admitted", () => {
    const notAdmitted = { path: "other.js", reason: "outside the scope" };
    expect(
      judgeTask({ reports: [report()], denials: [], ignored: [], filesChanged: 1, notAdmitted }).failure?.code,
    ).toBe("not_admitted");
  });

  it("is failed when all it wrote is ignored by git, and only lists those files when it delivered others", () => {
    const evidence = { reports: [report()], denials: [], ignored: ["dist/out.js"] };
    expect(judgeTask({ ...evidence, filesChanged: 0 })).toMatchObject({
      state: "failed",
      failure: { code: "ignored" },
    });
    expect(judgeTask({ ...evidence, filesChanged: 1 }).state).toBe("succeeded");
  });

  it("is failed when nothing ran", () => {
    expect(judgeTask({ reports: [], denials: [], ignored: [], filesChanged: 0 }).state).toBe("failed");
  });
});
