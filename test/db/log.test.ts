import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimRun } from "../../src/db/claim-run.ts";
import { createJob } from "../../src/db/create-job.ts";
import type { Database } from "../../src/db/database.ts";
import { findJob, listJobs } from "../../src/db/find-job.ts";
import { finishJob } from "../../src/db/finish-job.ts";
import { readJobEvents, readRunEvents } from "../../src/db/read-events.ts";
import { createWriter, type EventWriter } from "../../src/db/writer.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { runId as newRunId, newUuid, taskId } from "../../src/protocol/ids.ts";
import { tickingClock } from "../support/database.ts";
import { databases } from "../support/databases.ts";
import { claimedRuns, emptySpec, note } from "../support/job.ts";

describe.each(databases)("the log on $name", ({ open }) => {
  const clock = tickingClock();
  let database: Database;
  let writer: EventWriter;

  beforeAll(async () => {
    database = await open();
    writer = createWriter(clock, database);
  }, 60_000);
  afterAll(async () => {
    await writer.close();
    await database.close();
  });

  test("keeps a run's facts in order, gapless from 1", async () => {
    const { agents } = await claimedRuns(1, clock, database);
    const [run] = agents;
    if (!run) throw new Error("no run");
    const answers = await Promise.all([
      writer.append(run, [note("a"), note("b")]),
      writer.append(run, [note("c")], { spanId: "00000000000000aa" }),
    ]);
    expect(answers).toEqual([{ firstSeq: 1 }, { firstSeq: 3 }]);
    const log = await readRunEvents(run.runId, 0, database);
    expect(log.map((event) => event.seq)).toEqual([1, 2, 3]);
    expect(log.map((event) => ("content" in event.data ? event.data.content : ""))).toEqual(["a", "b", "c"]);
    expect(log[2]?.span_id).toBe("00000000000000aa");
    expect(await readRunEvents(run.runId, 2, database)).toEqual(log.slice(2));
  });

  test("opens no run for a job that somebody else has taken over, not even with facts of its own beside it", async () => {
    const { jobId, root } = await claimedRuns(0, clock, database);
    const opens = (epoch: number) => ({
      ...{ jobId, parentId: root.runId, parentEpoch: epoch, taskId: taskId.parse("one"), step: 0, attempt: 1 },
      ...{ kind: "agent" as const, owner: "node-a", at: new Date() },
    });
    const open = (epoch: number) => {
      const run = { runId: newRunId.parse(newUuid(clock)), epoch: 1 };
      const answers = [
        writer.append({ ...root, epoch }, [note("told")]),
        writer.append(run, [note("begun")], { also: { opens: opens(epoch) } }),
      ];
      return Promise.allSettled(answers);
    };
    expect((await open(root.epoch)).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
    const heir = await claimRun({ runId: root.runId, owner: "node-b", from: ["running"] }, clock, database);
    expect(await open(root.epoch)).toMatchObject([{ reason: { code: "fenced" } }, { reason: { code: "fenced" } }]);
    expect((await open(heir?.epoch ?? 0)).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
    // job.created, and twice what was told and begun.
    expect(await readJobEvents(jobId, 0, database)).toHaveLength(5);
  });

  test("gives back every string and key order exactly as it was written", async () => {
    const { root } = await claimedRuns(0, clock, database);
    const strange = ["\0", "a\u0000b", "\ud800", "\udfff\ud83d", "😀", "\\u0000", '"', "\u2028", "\u007f", "é", ""];
    const input = { z: 1, a: 2, "10": 3, "9": [1e300, -0.5, 1e-7, 2 ** 53 - 1], "\0": null, "": strange };
    const fact: Fact = {
      type: "turn.finished",
      data: {
        turn: 1,
        answer: [{ type: "tool_use", id: "1", name: strange.join("|"), input }],
        usage: { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
        stop: "end",
      },
    };
    await writer.append(root, [fact]);
    const [read] = await readRunEvents(root.runId, 1, database);
    expect(JSON.stringify(read?.data)).toBe(JSON.stringify(fact.data));
  });

  test("refuses an owner whose run was claimed by another, and writes nothing of theirs", async () => {
    const { agents } = await claimedRuns(1, clock, database);
    const [stale] = agents;
    if (!stale) throw new Error("no run");
    await writer.append(stale, [note("mine")]);
    const heir = await claimRun({ runId: stale.runId, owner: "node-b", from: ["running"] }, clock, database);
    expect(heir).toMatchObject({ epoch: stale.epoch + 1, head: 1 });
    if (!heir) throw new Error("not claimed");
    const [late, fresh] = await Promise.allSettled([
      writer.append(stale, [note("late")]),
      writer.append(heir, [note("heir")]),
    ]);
    expect(late).toMatchObject({ status: "rejected", reason: { code: "fenced" } });
    expect(fresh).toMatchObject({ status: "fulfilled", value: { firstSeq: 2 } });
    const ends = { state: "succeeded" as const, at: new Date() };
    await expect(writer.append(stale, [note("x")], { also: { ends } })).rejects.toMatchObject({ code: "fenced" });
    const state = `select state from sheaf.runs where id = '${stale.runId}'`;
    expect(await database.orm.execute(state)).toMatchObject({ rows: [{ state: "running" }] });
    expect(await readRunEvents(stale.runId, 0, database)).toHaveLength(2);
  });

  test("lets a run be claimed once, unless its owner is given up", async () => {
    const { agents } = await claimedRuns(1, clock, database);
    const [run] = agents;
    if (!run) throw new Error("no run");
    expect(await claimRun({ runId: run.runId, owner: "node-b" }, clock, database)).toBeUndefined();
  });

  test("fails only the fact that the database cannot hold, not its neighbours in the batch", async () => {
    const { agents } = await claimedRuns(3, clock, database);
    const [first, second, third] = agents;
    if (!first || !second || !third) throw new Error("no runs");
    const badType = { ...note("x"), type: "tool\0finished" } as unknown as Fact;
    let nested: unknown = 0;
    for (let depth = 0; depth < 5_000; depth++) nested = [nested];
    const deep = { type: "tool.finished", data: nested } as unknown as Fact;
    const [good, bad, tooDeep, after] = await Promise.allSettled([
      writer.append(first, [note("good")]),
      writer.append(second, [badType]),
      writer.append(third, [deep]),
      writer.append(third, [note("after")]),
    ]);
    expect(good).toMatchObject({ status: "fulfilled" });
    expect(bad.status).toBe("rejected");
    expect(tooDeep).toMatchObject({ status: "rejected", reason: { code: "conflict" } });
    expect(after).toMatchObject({ status: "fulfilled", value: { firstSeq: 1 } });
  });

  test("closes a log with its last fact", async () => {
    const { agents } = await claimedRuns(1, clock, database);
    const [run] = agents;
    if (!run) throw new Error("no run");
    await writer.append(run, [note("a")]);
    const at = new Date();
    const ends = { state: "failed" as const, failure: { code: "x", message: "y" }, at };
    await writer.append(run, [note("b")], { also: { ends } });
    await expect(writer.append(run, [note("c")])).rejects.toMatchObject({ code: "conflict" });
    const again = { also: { ends: { state: "succeeded" as const, at } } };
    await expect(writer.append(run, [note("d")], again)).rejects.toMatchObject({ code: "conflict" });
    const row = `select state, failure->>'code' as code from sheaf.runs where id = '${run.runId}'`;
    expect(await database.orm.execute(row)).toMatchObject({ rows: [{ state: "failed", code: "x" }] });
    expect((await readRunEvents(run.runId, 0, database)).map((event) => event.seq)).toEqual([1, 2]);
  });

  test("goes on when something else of the same owner has moved the head", async () => {
    const { root } = await claimedRuns(0, clock, database);
    await using other = createWriter(clock, database);
    expect(await writer.append(root, [note("a")])).toEqual({ firstSeq: 2 });
    expect(await other.append(root, [note("b")])).toEqual({ firstSeq: 3 });
    expect(await writer.append(root, [note("c")])).toEqual({ firstSeq: 4 });
  });

  test("reads a job's facts over all its runs by position, gapless, in commit order", async () => {
    const { jobId, root, agents } = await claimedRuns(4, clock, database);
    for (let round = 0; round < 5; round++) {
      await Promise.all([root, ...agents].map((run) => writer.append(run, [note(`${round}`), note("-")])));
    }
    const seen = await readJobEvents(jobId, 0, database);
    expect(seen.map(({ pos }) => pos)).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
    expect(await readJobEvents(jobId, 30, database)).toEqual(seen.slice(30));
    for (const run of agents) {
      const own = seen.filter(({ event }) => event.run_id === run.runId).map(({ event }) => event.seq);
      expect(own).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
  });

  test("gives jobs of one name handles that count up, whoever creates them at once", async () => {
    const job = { spec: emptySpec("Café: move!"), specSha: "0".repeat(64), traceId: "1".repeat(32) };
    const made = await Promise.all(Array.from({ length: 8 }, () => createJob(job, clock, database)));
    const handles = made.map(({ handle }) => handle).sort();
    expect(handles).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `Cafe-move-${number}`));
    const newest = await createJob({ ...job, spec: emptySpec("日本") }, clock, database);
    expect(newest.handle).toBe("job-1");
    expect((await findJob("last", database))?.id).toBe(newest.jobId);
    expect((await findJob("job-1", database))?.id).toBe(newest.jobId);
    expect((await findJob(newest.jobId, database))?.handle).toBe("job-1");
    expect(await findJob("job-99", database)).toBeUndefined();
    expect((await listJobs({ limit: 2 }, database)).map((found) => found.id)).toContain(newest.jobId);
  });

  test("ends a job with its outcome, its result and its last fact together", async () => {
    const { jobId, root } = await claimedRuns(0, clock, database);
    const result = { schema: "sheaf.result/v1", text: "\0 \ud800" };
    const last: Fact = { type: "job.finished", data: { outcome: "partial", exit_code: 10, result } };
    await finishJob(root, { outcome: "partial", result, facts: [last] }, clock, database);
    expect(await findJob(jobId, database)).toMatchObject({ state: "finished", outcome: "partial", result });
    const log = await readRunEvents(root.runId, 0, database);
    expect(log.map((event) => event.type)).toEqual(["job.created", "job.finished"]);
  });
});
