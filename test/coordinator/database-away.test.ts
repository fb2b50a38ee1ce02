import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator } from "../../src/coordinator/coordinator.ts";
import { patiently, standstillOf } from "../../src/coordinator/patience.ts";
import { openDatabase } from "../../src/db/open.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import { createWriter } from "../../src/db/writer.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobId } from "../../src/protocol/ids.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { Standstill } from "../../src/protocol/standstill.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import { migrations, template } from "../support/database.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { startPostgres, type TestServer } from "../support/postgres.ts";

let server: TestServer;
let bench: TestBench;
beforeAll(async () => {
  server = await startPostgres();
  const url = await server.createDatabase();
  bench = await openTestBench({
    openDatabase: () => openDatabase({ url, folder: "/nonexistent", template, migrations }),
  });
}, 60_000);
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await server.close();
});

/** A node whose work waits so long for the database, and what it told its operator. */
async function openNode(node: string, patienceMs: number) {
  const { clock } = bench.equipment;
  const told: string[] = [];
  const still = (away: string) =>
    new Standstill({ now: clock.now, patienceMs, tell: (said) => told.push(said), away: () => away, back: "back" });
  const database = { ...bench.equipment.database, standstills: { outage: still("away"), room: still("full") } };
  const limits = { perNode: 5 };
  const jobs = await openQueue({ name: "jobs", database, clock, node, limits, leaseMs: 2_000, isEmbedded: false });
  const writer = createWriter(clock, patiently(database));
  const equipment = { ...bench.equipment, node, database, jobs, writer };
  const coordinator = createCoordinator(equipment);
  coordinator.join({ isIdle: false });
  const close = async () => {
    await coordinator[Symbol.asyncDispose]();
    await jobs.close();
  };
  return { told, equipment, coordinator, close };
}

async function eventsOf(id: JobId): Promise<Event[]> {
  return (await readJobEvents(id, 0, bench.equipment.database)).map(({ event }) => event);
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await wait(20);
}

const finishedIn = (events: readonly Event[]) => events.filter(({ type }) => type === "task.finished").length;

function expectWhole(events: readonly Event[]): void {
  expect(events.at(-1)).toMatchObject({ type: "job.finished", data: { outcome: "succeeded" } });
  expect(events.filter(({ type }) => type === "job.finished")).toHaveLength(1);
  for (const own of Map.groupBy(events, ({ run_id }) => run_id).values()) {
    expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));
  }
}

/** It takes a moment between its two turns. */
function slowTask(id: string): NamedTask {
  const task = writingTask(id);
  const [step] = task.steps;
  if (step?.kind !== "agent" || step.agent.model.provider !== "scripted") throw new Error("no script");
  const turns = step.agent.model.turns.map((turn, index) => (index === 1 ? { ...turn, wait: 3_000 } : turn));
  return { ...task, steps: [{ ...step, agent: { ...step.agent, model: { ...step.agent.model, turns } } }] };
}

/** Submits a job whose second half comes when its first has ended, and kills the server between them. */
async function crashUnder({ coordinator }: Awaited<ReturnType<typeof openNode>>) {
  const { repository, spec } = await bench.repository({ "README.md": "x\n" });
  const later = (id: string): NamedTask => ({ ...slowTask(id), needs: ["one"] });
  const tasks = [writingTask("one"), ...["two", "three", "four"].map(later)];
  const submitted = await coordinator.submit({ spec: { ...spec, tasks }, repository });
  submitted.done.catch(() => {});
  await until(async () => finishedIn(await eventsOf(submitted.id)) >= 1);
  await server.crash();
  return submitted;
}

describe("work whose database is away", () => {
  it("waits longer than its lease, says so once, and loses and repeats nothing", async () => {
    const node = await openNode("waiting", 60_000);
    const submitted = await crashUnder(node);
    await until(() => standstillOf(node.equipment)?.code === "database_unavailable");
    await expect(node.coordinator.jobs({ limit: 1 })).rejects.toMatchObject({ code: "database_unavailable" });
    await wait(2_000);
    expect(node.told).toEqual(["away"]);
    await server.restart();
    await expect(submitted.done).resolves.toMatchObject({ outcome: "succeeded" });
    expect(node.told).toEqual(["away", "back"]);
    expect(standstillOf(node.equipment)).toBeUndefined();
    const events = await eventsOf(submitted.id);
    expectWhole(events);
    expect(events.filter(({ type }) => type === "task.started")).toHaveLength(4);
    await node.close();
  }, 90_000);

  it("is let go of as it is when that takes too long, and gone on with when the database is back", async () => {
    const node = await openNode("impatient", 500);
    const submitted = await crashUnder(node);
    await expect(submitted.done).rejects.toMatchObject({
      code: "database_unavailable",
      remedy: /goes on from its log/,
    });
    expect(node.coordinator.running).toBe(0);
    await server.restart();
    await until(async () => {
      const last = (await eventsOf(submitted.id).catch(() => [])).at(-1);
      return last?.type === "job.finished";
    });
    const events = await eventsOf(submitted.id);
    expectWhole(events);
    const started = events.flatMap((event) => (event.type === "task.started" ? [event.data.task_id] : []));
    expect(started.filter((id) => id === "one")).toHaveLength(1);
    await node.coordinator.idle();
    await node.close();
  }, 90_000);
});
