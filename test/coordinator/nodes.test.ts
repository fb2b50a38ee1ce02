import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createCoordinator } from "../../src/coordinator/coordinator.ts";
import { rowsOf } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobId } from "../../src/protocol/ids.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** A coordinator with a lease of its own on the shared database. */
async function openNode(
  node: string,
  { isIdle = false, warn }: { isIdle?: boolean; warn?: (said: string) => void } = {},
) {
  const { clock, database } = bench.equipment;
  const limits = { perNode: 2 };
  const jobs = await openQueue({ name: "jobs", database, clock, node, limits, leaseMs: 2_000, isEmbedded: false });
  const coordinator = createCoordinator({ ...bench.equipment, node, jobs, ...(warn ? { warn } : {}) });
  coordinator.join({ isIdle });
  return { jobs, coordinator };
}

async function eventsOf(id: JobId): Promise<Event[]> {
  return (await readJobEvents(id, 0, bench.equipment.database)).map(({ event }) => event);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

function slowTask(id: string, wait: number): NamedTask {
  const task = writingTask(id);
  const [step] = task.steps;
  if (step?.kind !== "agent" || step.agent.model.provider !== "scripted") throw new Error("no script");
  const turns = step.agent.model.turns.map((turn, index) => (index === 1 ? { ...turn, wait } : turn));
  const agent = { ...step.agent, model: { ...step.agent.model, turns } };
  return { ...task, steps: [{ ...step, agent }] };
}

const finishedIn = (events: readonly Event[]) => events.filter(({ type }) => type === "task.finished").length;

describe("nodes on one database", () => {
  it("take over the job of one that went silent, which then writes nothing more; what had ended is not done again", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    // The first one takes nothing up: it would take its own job again.
    const [first, second] = [await openNode("first", { isIdle: true }), await openNode("second")];
    const wanted = { ...spec, tasks: [writingTask("one"), slowTask("slow", 8_000)] };
    const submitted = await first.coordinator.submit({ spec: wanted, repository });
    submitted.done.catch(() => {});
    await until(async () => finishedIn(await eventsOf(submitted.id)) === 1);
    // Its lease runs out, as that of one that was frozen; what it has begun goes on in its threads.
    await until(async () => {
      await bench.equipment.database.orm.execute(
        `update sheaf_queue.job_common set heartbeat_on = now() - interval '1 hour'
         where state = 'active' and output::text like '"first %'`,
      );
      return second.coordinator.running === 1;
    });
    await expect(submitted.done).rejects.toMatchObject({ code: "fenced" });
    await second.coordinator.idle();

    const events = await eventsOf(submitted.id);
    const end = events.find((event) => event.type === "job.finished");
    expect(end?.data).toMatchObject({ outcome: "succeeded" });
    const started = events.flatMap((event) => (event.type === "task.started" ? [event.data.task_id] : []));
    expect(started.toSorted()).toEqual(["one", "slow", "slow"]);
    expect(events.filter(({ type }) => type === "job.finished")).toHaveLength(1);
    for (const own of Map.groupBy(events, ({ run_id }) => run_id).values()) {
      expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));
    }
    expect(await second.jobs.depth()).toEqual({ queued: 0, held: 0 });
    await Promise.all([first.jobs.close(), second.jobs.close()]);
  }, 60_000);

  it("hand a job back when they stop, and another one goes on with it at once", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const first = await openNode("leaving");
    const wanted = { ...spec, tasks: [writingTask("one"), slowTask("slow", 3_000)] };
    const submitted = await first.coordinator.submit({ spec: wanted, repository });
    submitted.done.catch(() => {});
    await until(async () => finishedIn(await eventsOf(submitted.id)) === 1);
    await first.coordinator.handBack();
    expect(first.coordinator.running).toBe(0);
    const before = await eventsOf(submitted.id);
    expect(before.some(({ type }) => type === "job.finished")).toBe(false);
    await expect(first.coordinator.submit({ spec: wanted, repository })).rejects.toMatchObject({ code: "locked" });
    await first.jobs.close();

    const second = await openNode("coming");
    await until(async () => (await eventsOf(submitted.id)).some(({ type }) => type === "job.finished"));
    const events = await eventsOf(submitted.id);
    expect(events.at(-1)?.data).toMatchObject({ outcome: "succeeded" });
    expect(events.filter((event) => event.type === "task.started" && event.data.task_id === "one")).toHaveLength(1);
    await second.coordinator.idle();
    await second.jobs.close();
  }, 60_000);

  it("refuse a job when they have as many as they may", async () => {
    const node = await openNode("full");
    const opened = await Promise.all(
      ["a", "b", "c"].map(async (id) => ({ id, ...(await bench.repository({ "README.md": `${id}\n` })) })),
    );
    const taken = await Promise.allSettled(
      opened.map(({ id, repository, spec: own }) =>
        node.coordinator.submit({ spec: { ...own, tasks: [slowTask(id, 4_000)] }, repository }),
      ),
    );
    expect(taken.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(taken.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "overloaded" } });
    await node.coordinator.idle();
    expect(await node.jobs.depth()).toEqual({ queued: 0, held: 0 });
    await node.jobs.close();
  }, 60_000);
});

describe("a job that a later version has written in", () => {
  it("is claimed by no node that cannot read it, and goes on at one that can", async () => {
    const { orm } = bench.equipment.database;
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const first = await openNode("later");
    const submitted = await first.coordinator.submit({
      spec: { ...spec, tasks: [slowTask("slow", 3_000)] },
      repository,
    });
    submitted.done.catch(() => {});
    await until(async () => (await eventsOf(submitted.id)).some(({ type }) => type === "task.started"));
    await first.coordinator.handBack();
    await first.jobs.close();
    const [{ type } = { type: "" }] = await eventsOf(submitted.id);
    await orm.execute(`update sheaf.events set type = 'job.unheard' where pos = 1 and job_id = '${submitted.id}'`);
    const owned = async () => JSON.stringify(await rowsOf(orm, sql.raw(ownersOf(submitted.id)), z.unknown()));
    const before = await owned();

    const told: string[] = [];
    const older = await openNode("older", { warn: (message) => told.push(message) });
    await until(async () => told.length > 0);
    expect(told[0]).toContain("job.unheard) is not one that this version knows");
    expect(await owned()).toBe(before);
    await until(async () => (await older.jobs.depth()).held === 0);
    expect(await older.jobs.depth()).toEqual({ queued: 1, held: 0 });

    await orm.execute(`update sheaf.events set type = '${type}' where pos = 1 and job_id = '${submitted.id}'`);
    const second = await openNode("later again");
    await until(async () => (await eventsOf(submitted.id)).some((event) => event.type === "job.finished"));
    expect((await eventsOf(submitted.id)).at(-1)?.data).toMatchObject({ outcome: "succeeded" });
    expect(told).toHaveLength(1);
    await second.coordinator.idle();
    await Promise.all([older.jobs.close(), second.jobs.close()]);
  }, 60_000);
});

const ownersOf = (id: JobId) => `select id, epoch, owner, state from sheaf.runs where job_id = '${id}' order by id`;
