import { afterAll, beforeAll, expect, test } from "vitest";
import { joinNodes } from "../../src/coordinator/nodes.ts";
import { submit } from "../../src/coordinator/submit.ts";
import { findJob } from "../../src/db/find-job.ts";
import { jobId, newUuid } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { HeldWake, Queue, WakeListeners } from "../../src/queue/queue.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { claimedRuns, note } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

test("a job whose node was silent before it was stored is not stored: nobody would be woken for it", async () => {
  const { equipment } = bench;
  const { clock, database } = equipment;
  const { repository, spec } = await bench.repository({ "README.md": "x\n" });
  const options = { name: "jobs" as const, database, clock, limits: { perNode: 2 }, isEmbedded: false };
  const [first, second] = [await openQueue({ ...options, node: "a" }), await openQueue({ ...options, node: "b" })];
  const idle = { takeUp: async () => false, lost: () => {} };
  joinNodes(idle, { isIdle: false }, { ...equipment, jobs: second });
  const hold: Queue["hold"] = async (wake) => {
    const held = await first.hold(wake);
    await database.orm.execute("update sheaf_queue.job_common set heartbeat_on = now() - interval '1 hour'");
    while ((await second.depth()).held + (await second.depth()).queued > 0) await pause();
    return held;
  };
  const jobs = new Proxy(first, {
    get: (target, name) => (name === "hold" ? hold : Reflect.get(target, name).bind(target)),
  });
  const id = jobId.parse(newUuid(clock));
  const order = { spec: { ...spec, tasks: [writingTask("one")] }, repository };
  await expect(submit(order, { ...equipment, jobs }, id)).rejects.toMatchObject({ code: "conflict" });
  expect(await findJob(id, database)).toBeUndefined();
  await repository.close();
  await Promise.all([first.close(), second.close()]);
});

test("a job that its holders die of is taken from them with all its runs before it is ended", async () => {
  const { equipment } = bench;
  const { clock, database, writer } = equipment;
  const { jobId: id, root, agents } = await claimedRuns(1, clock, database);
  const [run] = agents;
  if (!run) throw new Error("no run");
  let listeners: WakeListeners | undefined;
  const pump: Queue["pump"] = (given) => {
    listeners = given;
  };
  const idle = { takeUp: async () => false, lost: () => {} };
  joinNodes(idle, { isIdle: false }, { ...equipment, jobs: { pump } as Queue });
  const wake: HeldWake = { id: newUuid(clock), runId: root.runId, jobId: id, tenant: "t", priority: 0, crashes: 4 };
  await listeners?.poison(wake);
  expect(await findJob(id, database)).toMatchObject({ state: "finished", outcome: "error" });
  await expect(writer.append(run, [note("stale")])).rejects.toMatchObject({ code: "fenced" });
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
