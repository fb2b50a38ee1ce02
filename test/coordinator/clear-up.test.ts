import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clearUp } from "../../src/coordinator/clear-up.ts";
import type { Equipment } from "../../src/coordinator/equipment.ts";
import { claimRun } from "../../src/db/claim-run.ts";
import { createJob } from "../../src/db/create-job.ts";
import { createTasks } from "../../src/db/create-tasks.ts";
import { findJob } from "../../src/db/find-job.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import { storeSpans } from "../../src/db/store-spans.ts";
import { taskId } from "../../src/protocol/ids.ts";
import { result } from "../../src/protocol/result.ts";
import { resolveBase } from "../../src/workspace/base.ts";
import { createCheckout } from "../../src/workspace/checkout.ts";
import { draftIn } from "../../src/workspace/prepared-files.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { claimedRuns, emptySpec } from "../support/job.ts";

const readdirOf = (folder: string) => readdir(folder).catch((): string[] => []);

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** As whoever opens the database of a process that is gone. */
async function recover(equipment: Equipment): Promise<void> {
  await clearUp(equipment);
  await bench.coordinator.takeUp();
}

describe("a job that nobody can go on with", () => {
  it("is ended in its log as interrupted, with what its tasks had finished, and its spans closed", async () => {
    const { clock, database, writer } = bench.equipment;
    const { jobId, root } = await claimedRuns(1, clock, database);
    const tasks = ["one", "two"].map((id, ordinal) => ({
      id: taskId.parse(id),
      ordinal,
      title: id,
      item: {},
      needs: [],
      files: [],
      writes: [],
    }));
    await createTasks(jobId, tasks, database);
    const end = { task_id: taskId.parse("one"), state: "succeeded" as const, attempts: 1, files_changed: 2 };
    await writer.append(root, [
      { type: "job.planned", data: { strategy: "files", tasks, unsplit: [] } },
      { type: "task.finished", data: end },
    ]);
    const span = {
      trace_id: "1".repeat(32),
      kind: "internal" as const,
      attributes: {},
      events: [],
      links: [],
      job_id: jobId,
    };
    await storeSpans(
      [
        { ...span, span_id: "a".repeat(16), name: "root", start_ns: "1000", dur_ns: null, status: "unset" },
        { ...span, span_id: "b".repeat(16), name: "done", start_ns: "2000", dur_ns: "500", status: "unset" },
      ],
      database,
    );

    await recover(bench.equipment);

    const job = await findJob(jobId, database);
    const told = result.parse(job?.result);
    expect(told).toMatchObject({ outcome: "error", exit_code: 75, reason: { code: "interrupted" } });
    expect(told.tasks).toMatchObject([
      { id: "one", state: "succeeded", files_changed: 2 },
      { id: "two", state: "failed", reason: { code: "interrupted" } },
    ]);
    const spans = await readTrace(jobId, database);
    expect(spans.find((each) => each.name === "root")).toMatchObject({ status: "error", dur_ns: "1500" });
    expect(spans.find((each) => each.name === "done")).toMatchObject({ status: "unset", dur_ns: "500" });
    // Nobody who still believes to own it can write any more.
    await expect(writer.append(root, [{ type: "task.finished", data: end }])).rejects.toMatchObject({ code: "fenced" });
  });

  it("has in the books what its open runs used, and what they had asked for in full", async () => {
    const { clock, database, writer } = bench.equipment;
    const { jobId, agents } = await claimedRuns(2, clock, database);
    const [open, ended] = agents;
    if (!open || !ended) throw new Error("not claimed");
    const ask = { input_tokens: 100, max_tokens: 50 };
    const usage = { input_tokens: 7, output_tokens: 5, cache_read_tokens: 3, cache_write_tokens: 2 };
    const turn = [
      { type: "turn.started" as const, data: { turn: 1, model: "interrupted", ask } },
      { type: "turn.finished" as const, data: { turn: 1, answer: [], usage, stop: "end_turn", cost_nano_usd: 11 } },
    ];
    await writer.append(open, [...turn, { type: "turn.started", data: { turn: 2, model: "interrupted", ask } }]);
    await writer.append(ended, turn);
    const report = { state: "failed" as const, turns: 1, usage };
    const ends = { state: "failed" as const, at: new Date() };
    await writer.append(ended, [{ type: "run.finished", data: report }], { also: { ends } });
    await recover(bench.equipment);
    expect(await findJob(jobId, database)).toMatchObject({ outcome: "error" });
    const columns = "runs::int, input_tokens::int as input, output_tokens::int as output, cost_nano_usd::int as cost";
    const books = `select ${columns}, is_cost_known as known from sheaf.usage where model = 'interrupted'`;
    expect(await database.orm.execute(books)).toMatchObject({
      rows: [{ runs: 1, input: 107, output: 55, cost: 11, known: false }],
    });
  });

  it("that was gone while it published says what had landed, and whether the branch was moved", async () => {
    const { clock, database, writer } = bench.equipment;
    const { repository } = await bench.repository({ "a.txt": "1\n" });
    const { top } = repository.user;
    const told = async (branch: string) => {
      const { commit, tree } = (await resolveBase(repository, "HEAD", { includeDirty: false })).base;
      const spec = { ...emptySpec("published"), base: { ...emptySpec("published").base, repository: top } };
      const job = { spec, specSha: "0".repeat(64), traceId: "2".repeat(32) };
      const { jobId, runId } = await createJob(job, clock, database);
      const root = await claimRun({ runId, owner: "gone" }, clock, database);
      if (!root) throw new Error("not claimed");
      await writer.append(root, [
        { type: "merge.landed", data: { tree, commit } },
        { type: "publish.intended", data: { kind: "branch", target: branch } },
      ]);
      await recover(bench.equipment);
      return result.parse((await findJob(jobId, database))?.result);
    };
    const unmoved = await told("never");
    expect(unmoved).toMatchObject({ outcome: "error", result_commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(unmoved.published).toBeUndefined();
    expect((await told("main")).published).toEqual({ branch: "main" });
  });

  it("leaves no checkout, half-made setup or record of one, and keeps the workspaces of agents", async () => {
    const { home } = bench.equipment;
    const { repository } = await bench.repository({ "a.ts": "a\n" });
    const { tree } = (await resolveBase(repository, "HEAD", { includeDirty: false })).base;
    await createCheckout(repository, { directory: join(home, "checkouts", "gone"), tree });
    await createCheckout(repository, { directory: join(home, "workspaces", "kept"), tree });
    await mkdir(draftIn(join(home, "setups"), "x"), { recursive: true });
    await mkdir(join(repository.gitDir, "checkout-half"));
    await recover(bench.equipment);
    const left = await Promise.all(["checkouts", "workspaces", "setups"].map((name) => readdirOf(join(home, name))));
    expect(left).toEqual([[], ["kept"], []]);
    expect(await readdirOf(join(repository.gitDir, "worktrees"))).toHaveLength(1);
    expect(await readdirOf(repository.gitDir)).not.toContain("checkout-half");
  });

  it("is left alone the second time", async () => {
    const before = await findJob("last", bench.equipment.database);
    await recover(bench.equipment);
    expect(await findJob("last", bench.equipment.database)).toEqual(before);
  });
});
