import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { settleApproval, withdrawApprovals } from "../../src/db/settle-approval.ts";
import { storeApproval } from "../../src/db/store-approval.ts";
import { storeRequest, takeRequests } from "../../src/db/store-request.ts";
import { newUuid, taskId } from "../../src/protocol/ids.ts";
import { tickingClock } from "../support/database.ts";
import { databases } from "../support/databases.ts";
import { claimedRuns } from "../support/job.ts";
import { losingFirstAnswer } from "../support/lossy.ts";

describe.each(databases)("when the answer of $name is lost", ({ open }) => {
  const clock = tickingClock();
  let database: Database;
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(() => database.close());

  test("a request that was taken is heard all the same, by its taker alone", async () => {
    const { root } = await claimedRuns(0, clock, database);
    const said = { runId: root.runId, kind: "steer" as const, text: "left" };
    await storeRequest(said, clock, database);
    expect(await takeRequests([root.runId], clock, database)).toEqual([said]);
    const asked = { runId: root.runId, kind: "cancel" as const, why: "request" };
    await storeRequest(asked, clock, database);
    expect(await takeRequests([root.runId], clock, losingFirstAnswer(database))).toEqual([asked]);
    expect(await takeRequests([root.runId], clock, database)).toEqual([]);
  });

  test("questions that were withdrawn are told as withdrawn all the same, once", async () => {
    const { jobId, agents } = await claimedRuns(1, clock, database);
    const [run] = agents;
    if (!run) throw new Error("no run");
    const id = newUuid(clock);
    const said = {
      callId: "c",
      tool: "bash",
      input: "{}",
      inputSha: "0".repeat(64),
      rule: "r",
      source: "s",
      reason: "x",
    };
    const place = { id, taskId: taskId.parse("one"), suggestion: null, expiresAt: clock.now() + 60_000 };
    await storeApproval({ ...place, ...said }, { run, clock, database });
    const withdrawn = await withdrawApprovals({ jobId }, clock, losingFirstAnswer(database));
    expect(withdrawn).toMatchObject([{ id, state: "withdrawn" }]);
    expect(await withdrawApprovals({ jobId }, clock, database)).toEqual([]);
  });

  test("a question is ended by the owner of its run alone", async () => {
    const { jobId, agents } = await claimedRuns(1, clock, database);
    const [run] = agents;
    if (!run) throw new Error("no run");
    const id = newUuid(clock);
    const words = { callId: "c", tool: "bash", input: "{}", inputSha: "0".repeat(64), rule: "r", source: "s" };
    const place = { id, taskId: taskId.parse("one"), suggestion: null, expiresAt: clock.now() + 60_000 };
    await storeApproval({ ...place, ...words, reason: "x" }, { run, clock, database });
    const by = { runId: run.runId, epoch: run.epoch - 1 };
    for (const state of ["withdrawn", "expired"] as const) {
      const settled = await settleApproval(id, { state, by }, clock, database);
      expect(settled).toMatchObject({ isFirst: false, approval: { state: "pending" } });
    }
    expect(await withdrawApprovals({ jobId, by }, clock, database)).toEqual([]);
    const settled = await settleApproval(id, { state: "withdrawn", by: run }, clock, database);
    expect(settled).toMatchObject({ isFirst: true, approval: { state: "withdrawn" } });
  });
});
