import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendFacts } from "../../src/db/append-facts.ts";
import { claimRun } from "../../src/db/claim-run.ts";
import type { Database } from "../../src/db/database.ts";
import { examine } from "../../src/db/examine.ts";
import { factRows } from "../../src/db/fact-rows.ts";
import { takeOverRuns } from "../../src/db/take-over.ts";
import { createWriter } from "../../src/db/writer.ts";
import { newUuid, runId, taskId } from "../../src/protocol/ids.ts";
import { tickingClock } from "../support/database.ts";
import { databases } from "../support/databases.ts";
import { claimedRuns, note } from "../support/job.ts";

const clock = tickingClock();

describe.each(databases)("two owners of a run on $name", ({ name, open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(() => database.close());

  test("an end that the old one said in the statement of the new one ends nothing", async () => {
    const { run, heir } = await takenOver();
    await using writer = createWriter(clock, database);
    const ends = { state: "failed" as const, failure: { code: "x", message: "stale" }, at: new Date() };
    const [old, own] = await Promise.allSettled([
      writer.append(run, [note("stale")], { also: { ends } }),
      writer.append(heir, [note("goes on")]),
    ]);
    expect(old).toMatchObject({ status: "rejected", reason: { code: "fenced" } });
    expect(own.status).toBe("fulfilled");
    const row = `select state, failure from sheaf.runs where id = '${run.runId}'`;
    expect(await database.orm.execute(row)).toMatchObject({ rows: [{ state: "running", failure: null }] });
    await writer.append(heir, [note("and on")]);
  });

  test("each is told what became of its own facts", async () => {
    const { run, heir } = await takenOver();
    const [stale, own] = [factRows([note("stale")], clock), factRows([note("own")], clock)];
    const written = { ...heir, head: 0, rows: own };
    await appendFacts([written], database.orm);
    const late = { ...run, head: 1, rows: stale };
    expect(await examine([written, late], database.orm)).toMatchObject([{ is: "written" }, { is: "refused" }]);
    expect(await examine([late, written], database.orm)).toMatchObject([{ is: "refused" }, { is: "written" }]);
  });

  // The embedded database does one transaction at a time.
  if (name === "PostgreSQL")
    test("what an agent starts while its job is taken over is taken over too", startsMeanwhile);

  async function startsMeanwhile(): Promise<void> {
    const { jobId, agents } = await claimedRuns(1, clock, database);
    const [parent] = agents;
    if (!parent) throw new Error("no run");
    const child = { runId: runId.parse(newUuid(clock)), epoch: 1 };
    const opens = {
      ...{ jobId, parentId: parent.runId, parentEpoch: parent.epoch, taskId: taskId.parse("one"), step: 0, attempt: 1 },
      ...{ kind: "agent" as const, owner: "node-a", at: new Date() },
    };
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const starting = database.orm.transaction(async (transaction) => {
      await appendFacts(
        [{ ...child, head: 0, rows: factRows([note("begun")], clock), also: [{ opens }] }],
        transaction,
      );
      begun.resolve();
      await released.promise;
    });
    await begun.promise;
    const taking = takeOverRuns(jobId, "node-b", database);
    await untilBlocked(database);
    released.resolve();
    await starting;
    expect([...(await taking).keys()].toSorted()).toEqual([parent.runId, child.runId].toSorted());
    await using writer = createWriter(clock, database);
    await expect(writer.append(child, [note("stale")])).rejects.toMatchObject({ code: "fenced" });
  }

  async function takenOver() {
    const [run] = (await claimedRuns(1, clock, database)).agents;
    if (!run) throw new Error("no run");
    const heir = await claimRun({ runId: run.runId, owner: "node-b", from: ["running"] }, clock, database);
    if (!heir) throw new Error("not claimed");
    return { run, heir };
  }
});

/** Until some statement waits for a lock. */
async function untilBlocked({ orm }: Database): Promise<void> {
  const asked = "select count(*)::int as count from pg_locks where not granted";
  for (;;) {
    const { rows } = (await orm.execute(asked)) as { rows: { count: number }[] };
    if ((rows[0]?.count ?? 0) > 0) return;
    await sleep(10);
  }
}
