import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator } from "../../src/coordinator/coordinator.ts";
import { claimRun } from "../../src/db/claim-run.ts";
import { findJob } from "../../src/db/find-job.ts";
import { findRun } from "../../src/db/find-run.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { type JobId, runId } from "../../src/protocol/ids.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { Queue } from "../../src/queue/queue.ts";
import type { Git } from "../../src/workspace/git.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ threads: 1, sandbox: "external" });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** A node whose git waits at a gate: what it takes in is on its way until that opens. */
async function openNode(node: string) {
  const { clock, database, git: real } = bench.equipment;
  const limits = { perNode: 4 };
  const jobs = await openQueue({ name: "jobs", database, clock, node, limits, leaseMs: 60_000, isEmbedded: false });
  const gate = { arrived: Promise.withResolvers<void>(), opens: Promise.withResolvers<void>() };
  const git: Git = Object.assign(
    async (...[args, options]: Parameters<Git>) => {
      gate.arrived.resolve();
      await gate.opens.promise;
      return real(args, options);
    },
    { start: real.start.bind(real) },
  );
  return { jobs, gate, coordinator: createCoordinator({ ...bench.equipment, git, node, jobs }) };
}

/** A job that a process has begun and handed back, with one task done. */
async function leftJob(): Promise<JobId> {
  const { repository, spec } = await bench.repository({ "README.md": `${Math.random()}\n` });
  const first = await openNode("first");
  first.gate.opens.resolve();
  first.coordinator.join({ isIdle: true });
  const { id, done } = await first.coordinator.submit({
    spec: { ...spec, tasks: [writingTask("one"), slowTask("slow")] },
    repository,
  });
  done.catch(() => {});
  await until(async () => (await typesOf(id)).includes("task.finished"));
  await first.coordinator.handBack();
  await first.jobs.close();
  return id;
}

function slowTask(id: string): NamedTask {
  const task = writingTask(id);
  const [step] = task.steps;
  if (step?.kind !== "agent" || step.agent.model.provider !== "scripted") throw new Error("no script");
  const turns = step.agent.model.turns.map((turn, index) => (index === 1 ? { ...turn, wait: 2_000 } : turn));
  return { ...task, steps: [{ ...step, agent: { ...step.agent, model: { ...step.agent.model, turns } } }] };
}

async function typesOf(id: JobId): Promise<string[]> {
  return (await readJobEvents(id, 0, bench.equipment.database)).map(({ event }) => event.type);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function isHeld(jobs: Queue): Promise<boolean> {
  return (await jobs.depth()).held > 0;
}

describe("a process that hands its jobs back", () => {
  it("leaves one that it was just taking in as it was, for whoever comes next", async () => {
    const id = await leftJob();
    const second = await openNode("second");
    second.coordinator.join({ isIdle: false });
    await second.gate.arrived.promise;
    const back = second.coordinator.handBack();
    second.gate.opens.resolve();
    await back;
    expect(second.coordinator.running).toBe(0);
    expect(await isHeld(second.jobs)).toBe(false);
    expect(await bench.coordinator.job(id)).toMatchObject({ state: "running", at_rest: "interrupted" });
    expect(await typesOf(id)).not.toContain("job.finished");
    await second.jobs.close();

    const third = await openNode("third");
    third.gate.opens.resolve();
    third.coordinator.join({ isIdle: false });
    await until(async () => (await typesOf(id)).includes("job.finished"));
    expect(await bench.coordinator.job(id)).toMatchObject({ outcome: "succeeded" });
    await third.coordinator.idle();
    await third.jobs.close();
  }, 60_000);
});

describe("the wake of a job that nobody here works on", () => {
  it("goes back when somebody else has taken the job", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const node = await openNode("robbed");
    node.gate.opens.resolve();
    node.coordinator.join({ isIdle: true });
    const { id, done } = await node.coordinator.submit({ spec: { ...spec, tasks: [slowTask("slow")] }, repository });
    const { clock, database } = bench.equipment;
    await claimRun({ runId: runId.parse(id), owner: "thief", from: ["running"] }, clock, database);
    await expect(done).rejects.toMatchObject({ code: "fenced" });
    await until(async () => !(await isHeld(node.jobs)));
    await node.jobs.close();
  }, 60_000);

  it("goes back when it cannot be ended here", async () => {
    const id = await leftJob();
    const node = await openNode("stopping");
    node.gate.opens.resolve();
    node.coordinator.join({ isIdle: true });
    await node.coordinator.handBack();
    await node.coordinator.cancel(id);
    expect(await isHeld(node.jobs)).toBe(false);
    await node.jobs.close();
    await bench.coordinator.cancel(id);
  }, 60_000);

  it("goes back once the database answers, where it could not be told", async () => {
    const id = await leftJob();
    const { database } = bench.equipment;
    await database.orm.execute(`update sheaf.jobs set repository = '/nowhere/at/all' where run_id = '${id}'`);
    const node = await openNode("silent");
    const told = Promise.withResolvers<void>();
    node.jobs.putBack = async () => {
      told.resolve();
      await node.coordinator.leaveOthers();
      throw new Fault("database_unavailable", "away");
    };
    node.gate.opens.resolve();
    node.coordinator.join({ isIdle: false });
    await told.promise;
    await until(async () => !(await isHeld(node.jobs)));
    expect(await node.jobs.depth()).toMatchObject({ held: 0 });
    await node.jobs.close();
    await bench.coordinator.cancel(id);
  }, 60_000);
});

describe("a job whose log cannot be read here", () => {
  it("rests as it is, is no reason to leave others, and can be ended", async () => {
    const [odd, other] = [await leftJob(), await leftJob()];
    const { database } = bench.equipment;
    await database.orm.execute(
      `update sheaf.events set type = 'run.of_a_newer_version' where job_id = '${odd}' and type = 'task.started'`,
    );
    const owners = () =>
      database.orm.execute(`select epoch, state from sheaf.runs where job_id = '${odd}' order by id`);
    const before = await owners();
    const warned: string[] = [];
    const warn = (message: string) => void warned.push(message);
    const heir = createCoordinator({ ...bench.equipment, node: "heir", warn });
    const taken = await heir.takeUp();
    const ids = taken.map(({ started }) => started.id);
    expect([ids.includes(odd), ids.includes(other)]).toEqual([false, true]);
    expect(warned).toEqual([expect.stringContaining("sheaf cancel job-")]);
    expect(JSON.stringify(await owners())).toBe(JSON.stringify(before));
    await heir.idle();
    await heir.cancel(odd);
    expect(await findJob(odd, database)).toMatchObject({ state: "finished", outcome: "cancelled" });
    await heir[Symbol.asyncDispose]();
  }, 60_000);
});

describe("a node that was frozen before it claimed a job", () => {
  it("takes it from nobody", async () => {
    const id = await leftJob();
    const { database } = bench.equipment;
    const epoch = async () => (await findRun(runId.parse(id), database))?.epoch;
    const before = await epoch();
    const node = await openNode("frozen");
    node.coordinator.join({ isIdle: false });
    await node.gate.arrived.promise;
    await node.coordinator.leaveOthers();
    // As when its lease has run out, and another one was given the job.
    await database.orm.execute(`delete from sheaf_queue.job_common where singleton_key = '${id}' and state = 'active'`);
    node.gate.opens.resolve();
    await node.coordinator.idle();
    expect(await epoch()).toBe(before);
    await node.jobs.close();
    await bench.coordinator.cancel(id);
  }, 60_000);
});
