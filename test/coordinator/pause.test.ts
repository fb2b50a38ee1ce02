import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator, type LocalCoordinator } from "../../src/coordinator/coordinator.ts";
import type { Event } from "../../src/protocol/event.ts";
import { type JobId, taskId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import { eventsOf } from "../support/bench-job.ts";
import { writingTask } from "../support/equipment.ts";
import { openThinkingBench, type ThinkingBench, thinkingTask } from "../support/thinking-job.ts";

const write = (file: string) => ({ name: "write", input: { file_path: `one/${file}`, content: `${file}\n` } });
const script = [[write("a.txt")], [write("b.txt")], [{ name: "submit", input: { summary: "done" } }]];
/** The first answer of its model takes its time. */
let thinking: ThinkingBench;
beforeAll(async () => {
  thinking = await openThinkingBench(() => script, { slow: ({ turn }) => (turn === 1 ? { delayMs: 1_500 } : {}) });
});
afterAll(() => thinking[Symbol.asyncDispose]());

const logOf = (id: JobId): Promise<Event[]> => eventsOf(thinking.bench, id);
const types = (events: readonly Event[]) => events.map(({ type }) => type);

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function begin(coordinator: LocalCoordinator, prompt: string) {
  const { repository, spec } = await thinking.bench.repository({ "README.md": `${prompt}\n` });
  const last = { ...writingTask("last"), needs: [taskId.parse("one")] };
  const tasks = [thinkingTask(prompt), last];
  const { id, done } = await coordinator.submit({ spec: { ...spec, fresh: true, tasks }, repository });
  const over = done.catch((thrown: unknown) => thrown);
  await until(async () => types(await logOf(id)).includes("turn.started"));
  return { id, over };
}

const restOf = async (coordinator: LocalCoordinator, id: JobId) => (await coordinator.job(id))?.at_rest;

describe("a job that is paused", () => {
  it("ends the turn that is under way, begins nothing, survives a restart as paused, and goes on without paying twice", async () => {
    const { coordinator, equipment } = thinking.bench;
    const { id, over } = await begin(coordinator, "rest");
    await coordinator.pause(id);
    expect(await restOf(coordinator, id)).toBe("pausing");
    expect(await over).toMatchObject({ code: "fenced", message: expect.stringContaining("is paused") });
    expect(await restOf(coordinator, id)).toBe("paused");
    expect(coordinator.running).toBe(0);
    const resting = types(await logOf(id));
    expect(resting.filter((type) => type === "turn.started")).toHaveLength(1);
    expect(resting.filter((type) => type === "tool.finished")).toHaveLength(1);
    expect(thinking.asked("rest").size).toBe(1);

    const next = createCoordinator({ ...equipment, node: "next" });
    expect(await next.takeUp()).toEqual([]);
    expect(await restOf(next, id)).toBe("paused");
    await next.resume(id);
    await next.idle();
    const job = await next.job(id);
    expect(job).toMatchObject({ outcome: "succeeded", result: { tasks: [{ attempts: 1 }, { state: "succeeded" }] } });
    expect(thinking.server.logged.filter(({ first }) => first.includes("rest")).map(({ turn }) => turn)).toEqual([
      1, 2, 3,
    ]);
    await expect(next.pause(id)).rejects.toMatchObject({ code: "conflict" });
    await expect(next.resume(id)).rejects.toMatchObject({ code: "conflict" });
    await next[Symbol.asyncDispose]();
  }, 20_000);

  it("goes on where it is when it is told to before it rests, and can be cancelled while it rests", async () => {
    const { coordinator } = thinking.bench;
    const first = await begin(coordinator, "changed");
    await coordinator.pause(first.id);
    await coordinator.resume(first.id);
    expect(await first.over).toMatchObject({ outcome: "succeeded" });

    const { id, over } = await begin(coordinator, "ended");
    await coordinator.pause(id);
    await over;
    await coordinator.cancel(id);
    expect(await coordinator.job(id)).toMatchObject({ state: "finished", outcome: "cancelled" });
  }, 20_000);

  it("holds no wake, and any node goes on with it", async () => {
    const { clock, database } = thinking.bench.equipment;
    const open = async (node: string) => {
      const limits = { perNode: 2 };
      const jobs = await openQueue({ name: "jobs", database, clock, node, limits, isEmbedded: false });
      const coordinator = createCoordinator({ ...thinking.bench.equipment, node, jobs });
      coordinator.join({ isIdle: node === "first" });
      return { jobs, coordinator };
    };
    const [first, second] = [await open("first"), await open("second")];
    const { id, over } = await begin(first.coordinator, "elsewhere");
    // Asked of one node, it is heard by the other, which has the job.
    await second.coordinator.pause(id);
    await over;
    await until(async () => (await first.jobs.depth()).held === 0);
    expect(await first.jobs.depth()).toEqual({ queued: 0, held: 0 });
    expect(await restOf(second.coordinator, id)).toBe("paused");
    await first.coordinator.resume(id);
    await until(async () => (await second.coordinator.job(id))?.state === "finished");
    expect(await second.coordinator.job(id)).toMatchObject({ outcome: "succeeded" });
    for (const { coordinator, jobs } of [second, first]) {
      await coordinator[Symbol.asyncDispose]();
      await jobs.close();
    }
  }, 20_000);
});
