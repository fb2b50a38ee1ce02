import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator } from "../../src/coordinator/coordinator.ts";
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

async function eventsOf(id: JobId): Promise<Event[]> {
  return (await readJobEvents(id, 0, bench.equipment.database)).map(({ event }) => event);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const finishedIn = async (id: JobId) => (await eventsOf(id)).filter(({ type }) => type === "task.finished").length;

/** A task whose agent waits before its second turn. */
function slowTask(id: string): NamedTask {
  const task = writingTask(id);
  const [step] = task.steps;
  if (step?.kind !== "agent" || step.agent.model.provider !== "scripted") throw new Error("no script");
  const turns = step.agent.model.turns.map((turn, index) => (index === 1 ? { ...turn, wait: 60_000 } : turn));
  const agent = { ...step.agent, model: { ...step.agent.model, turns } };
  return { ...task, steps: [{ ...step, agent }] };
}

/** A task whose command starts others, which would outlive it; `mark` is on the command line of each. */
function breedingTask(id: string, mark: string): NamedTask {
  const run = `(sleep ${mark} & exec setsid sleep ${mark}) & sleep ${mark}`;
  const step = { kind: "command" as const, run, may_fail: false, timeout_ms: 60_000 };
  return { id, writes: [{ directories: [id] }], steps: [step] };
}

/** How many processes of this machine have it on their command line. */
async function processesWith(mark: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return lines.filter((line) => line.split("\0").includes(mark)).length;
}

describe("a job that is cancelled", () => {
  it("ends its threads and all that its commands had started, and keeps what is finished", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const mark = "86399.25";
    const tasks = [writingTask("one"), slowTask("slow"), breedingTask("breeds", mark)];
    const { id, done } = await bench.coordinator.submit({ spec: { ...spec, tasks }, repository });
    await until(async () => (await processesWith(mark)) >= 2 && (await finishedIn(id)) === 1);
    await bench.coordinator.cancel(id);
    const result = await done;
    expect(result).toMatchObject({ outcome: "cancelled", exit_code: 130 });
    expect(result.tasks.map(({ id: task, state }) => [task, state])).toEqual([
      ["one", "succeeded"],
      ["slow", "cancelled"],
      ["breeds", "cancelled"],
    ]);
    expect(await processesWith(mark)).toBe(0);
  }, 30_000);

  it("is ended by whoever cancels it when its process is gone, with what was finished", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const first = createCoordinator({ ...bench.equipment, node: "gone" });
    const tasks = [writingTask("one"), slowTask("slow")];
    const { id, handle, done } = await first.submit({ spec: { ...spec, tasks }, repository });
    done.catch(() => {});
    await until(async () => (await finishedIn(id)) === 1);
    expect(await first.job(handle)).not.toHaveProperty("at_rest");
    await first.handBack();
    expect(await bench.coordinator.job(handle)).toMatchObject({ state: "running", at_rest: "interrupted" });

    await bench.coordinator.cancel(id);
    const after = await bench.coordinator.job(handle);
    expect(after).toMatchObject({ state: "finished", outcome: "cancelled" });
    expect(after).not.toHaveProperty("at_rest");
    expect(after?.result?.tasks.map(({ id: task, state, files_changed }) => [task, state, files_changed])).toEqual([
      ["one", "succeeded", 1],
      ["slow", "cancelled", 0],
    ]);
    const patch = await bench.coordinator.patch(id, { task: "one" });
    expect(Buffer.from(patch).toString()).toContain("written by one");
    const events = await eventsOf(id);
    expect(events.filter(({ type }) => type === "task.started")).toHaveLength(2);
    expect(events.filter(({ type }) => type === "run.finished")).toHaveLength(2);
    await first[Symbol.asyncDispose]();
  }, 30_000);

  it("is ended without its repository too", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const first = createCoordinator({ ...bench.equipment, node: "lost" });
    const { id, done } = await first.submit({ spec: { ...spec, tasks: [slowTask("slow")] }, repository });
    done.catch(() => {});
    await until(async () => (await eventsOf(id)).some(({ type }) => type === "run.started"));
    await first.handBack();
    const { database } = bench.equipment;
    await database.orm.execute(`update sheaf.jobs set repository = '/nowhere/at/all' where run_id = '${id}'`);
    await bench.coordinator.cancel(id);
    expect(await bench.coordinator.job(id)).toMatchObject({ outcome: "cancelled", result: { exit_code: 130 } });
    await first[Symbol.asyncDispose]();
  }, 30_000);

  it("is left to the node that holds it, and is ended by any node once nobody does", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const { clock, database } = bench.equipment;
    const open = async (node: string) => {
      const limits = { perNode: 2 };
      const jobs = await openQueue({ name: "jobs", database, clock, node, limits, isEmbedded: false });
      const coordinator = createCoordinator({ ...bench.equipment, node, jobs });
      coordinator.join({ isIdle: true });
      return { jobs, coordinator };
    };
    const [first, second] = [await open("holder"), await open("other")];
    const { id, done } = await first.coordinator.submit({ spec: { ...spec, tasks: [slowTask("slow")] }, repository });
    done.catch(() => {});
    await until(async () => (await eventsOf(id)).some(({ type }) => type === "run.started"));
    // Both see that somebody works on it: by what runs here, and by the lease.
    for (const { coordinator } of [first, second]) expect(await coordinator.job(id)).not.toHaveProperty("at_rest");
    await first.coordinator.handBack();
    expect(await second.coordinator.job(id)).toMatchObject({ at_rest: "interrupted" });
    await second.coordinator.cancel(id);
    expect(await second.coordinator.job(id)).toMatchObject({ outcome: "cancelled" });
    expect(second.coordinator.running).toBe(0);
    for (const { coordinator, jobs } of [first, second]) {
      await coordinator[Symbol.asyncDispose]();
      await jobs.close();
    }
  }, 30_000);
});
