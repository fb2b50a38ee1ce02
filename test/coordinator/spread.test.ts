import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator, type LocalCoordinator } from "../../src/coordinator/coordinator.ts";
import type { Equipment } from "../../src/coordinator/equipment.ts";
import { openSpread, type Spread } from "../../src/coordinator/spread/spread.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { eventsOf } from "../support/bench-job.ts";
import { model, openThinkingBench, type ThinkingBench } from "../support/thinking-job.ts";

let thinking: ThinkingBench;
/** How long an answer takes, by what the agent was asked. */
let delayMs: (prompt: string) => number;
/** No second turn is answered before. */
let barrier: Promise<void> | undefined;
beforeAll(async () => {
  thinking = await openThinkingBench(
    ({ first }) => {
      const name = /part-\d+/.exec(first)?.[0] ?? "part-0";
      const write = { name: "write", input: { file_path: `${name}/out.txt`, content: `by ${name}\n` } };
      return [[write], [{ name: "read", input: { file_path: `${name}/out.txt` } }], [done(name)]];
    },
    {
      slow: async ({ first, turn }) => {
        if (turn > 1) await barrier;
        return { delayMs: delayMs(first) };
      },
    },
  );
});
afterAll(() => thinking[Symbol.asyncDispose]());

const done = (name: string) => ({ name: "submit", input: { summary: `${name} is done` } });

interface Node extends AsyncDisposable {
  coordinator: LocalCoordinator;
  spread: Spread;
  runs: Queue;
}

/** A coordinator among others on one database, which does so many runs at a time. */
async function openNode(node: string, perNode = 4, isIdle = false, more: Partial<Equipment> = {}): Promise<Node> {
  const equipment = { ...thinking.bench.equipment, ...more };
  const { clock, database } = equipment;
  const shared = { database, clock, node, leaseMs: 2_000, isEmbedded: false };
  const jobs = await openQueue({ ...shared, name: "jobs", limits: { perNode: 4 } });
  const runs = await openQueue({ ...shared, name: "runs", limits: { perNode, perLook: 2 } });
  const own = { ...equipment, node, jobs };
  const spread = openSpread(runs, own);
  const coordinator = createCoordinator({ ...own, spread });
  coordinator.join({ isIdle });
  const close = async () => {
    await coordinator.handBack();
    await spread.close();
    await coordinator[Symbol.asyncDispose]();
    await Promise.all([jobs.close(), runs.close()]);
  };
  return { coordinator, spread, runs, [Symbol.asyncDispose]: close };
}

function parts(count: number, from = 0): NamedTask[] {
  return Array.from({ length: count }, (_, index): NamedTask => {
    const id = `part-${from + index}`;
    const agent = { name: "writer", instructions: "Write.", model };
    return { id, writes: [{ directories: [id] }], steps: [{ kind: "agent", agent, prompt: `Write ${id}.` }] };
  });
}

async function jobOf(tasks: NamedTask[], more: Partial<JobSpec> = {}) {
  const { repository, spec } = await thinking.bench.repository({ "README.md": "x\n" });
  return { repository, spec: { ...spec, fresh: true as const, ...more, tasks } };
}

/** By node, the runs that it has or had last. */
async function ownersOf(id: string): Promise<Map<string | null, string[]>> {
  const { rows } = (await thinking.bench.equipment.database.orm.execute(
    `select owner, id, state from sheaf.runs where job_id = '${id}' and kind = 'agent' order by id`,
  )) as unknown as { rows: { owner: string | null; id: string; state: string }[] };
  return new Map([...Map.groupBy(rows, ({ owner }) => owner)].map(([owner, all]) => [owner, all.map((row) => row.id)]));
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("runs of one job", () => {
  it("are done by all nodes, and come together in one tree, each answer paid once", async () => {
    delayMs = () => 150;
    await using first = await openNode("first");
    await using _second = await openNode("second");
    const since = thinking.server.logged.length;
    const submitted = await first.coordinator.submit(await jobOf(parts(8)));
    const result = await submitted.done;
    expect(result).toMatchObject({ outcome: "succeeded" });
    expect(result.tasks.map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => "succeeded"));
    expect([...(await ownersOf(submitted.id)).keys()].toSorted()).toEqual(["first", "second"]);
    expect(thinking.server.logged.slice(since)).toHaveLength(24);
    const events = await eventsOf(thinking.bench, submitted.id);
    for (const own of Map.groupBy(events, ({ run_id }) => run_id).values()) {
      expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));
    }
    const used = thinking.server.logged.slice(since).reduce((sum, { usage }) => sum + usage.output_tokens, 0);
    expect(result.usage.output_tokens).toBe(used);
    expect(await first.runs.depth()).toEqual({ queued: 0, held: 0 });
  }, 25_000);

  it("go on elsewhere from their logs when their node is gone, and no answer is paid twice", async () => {
    delayMs = () => 700;
    await using first = await openNode("owner", 1);
    await using _second = await openNode("silent", 3);
    const since = thinking.server.logged.length;
    const submitted = await first.coordinator.submit(await jobOf(parts(2, 20)));
    const others = async () => (await ownersOf(submitted.id)).get("silent") ?? [];
    await until(async () => (await others()).length > 0);
    const [run = ""] = await others();
    const answers = async () =>
      (await eventsOf(thinking.bench, submitted.id)).filter(
        (one) => one.run_id === run && one.type === "turn.finished",
      );
    await until(async () => (await answers()).length === 1);
    await expire("runs", run, "silent");
    const result = await submitted.done;
    expect(result.outcome).toBe("succeeded");
    expect(await answers()).toHaveLength(3);
    // What was under way when its node was lost is asked once more, and nothing else.
    const asked = thinking.server.logged.slice(since).filter(({ end }) => end === "answered");
    expect(asked.length).toBeLessThanOrEqual(7);
    expect(asked.filter(({ turn }) => turn === 1)).toHaveLength(2);
    const events = (await eventsOf(thinking.bench, submitted.id)).filter((one) => one.run_id === run);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === "run.finished")).toHaveLength(1);
  }, 25_000);

  it("share one budget of their job, which none of them exceeds, and end by the same rules wherever they are", async () => {
    delayMs = () => 30;
    await using first = await openNode("payer", 2);
    await using _second = await openNode("spender", 3);
    const limits = { time_ms: 60_000, idle_ms: 30_000, tokens: 14_000 };
    const submitted = await first.coordinator.submit(await jobOf(parts(12, 300), { limits }));
    const result = await submitted.done;
    expect(result).toMatchObject({ outcome: "limit", limit: "tokens" });
    const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = result.usage;
    const used = input_tokens + output_tokens + cache_read_tokens + cache_write_tokens;
    expect(used).toBeLessThanOrEqual(14_000);
    expect([...(await ownersOf(submitted.id)).keys()].toSorted()).toEqual(["payer", "spender"]);
    const stopped = result.tasks.filter(({ state }) => state === "limit");
    expect(stopped.length).toBeGreaterThan(0);
    for (const { reason } of stopped) expect(reason).toMatchObject({ code: "tokens" });
    const events = await eventsOf(thinking.bench, submitted.id);
    const ends = events.filter((event) => event.type === "budget.exhausted");
    expect(ends.map(({ data, run_id }) => [run_id, data.scope])).toEqual([[submitted.id, "job"]]);
    const told = events.filter((event) => event.type === "run.notified" && event.data.kind === "budget");
    const warned = events.filter(({ type }) => type === "budget.warned");
    expect(told.length > 0).toBe(warned.length > 0);
  }, 25_000);

  it("go on within their budget when their job's owner is gone", async () => {
    delayMs = () => 400;
    await using first = await openNode("spent", 1, true);
    await using second = await openNode("heir", 3);
    const limits = { time_ms: 60_000, idle_ms: 30_000, nano_usd: 1_000_000_000 };
    const submitted = await first.coordinator.submit(await jobOf(parts(4, 320), { limits }));
    submitted.done.catch(() => {});
    const since = async () => (await eventsOf(thinking.bench, submitted.id)).map(({ type }) => type);
    await until(async () => ((await ownersOf(submitted.id)).get("heir") ?? []).length > 0);
    await until(async () => (await since()).includes("turn.finished"));
    await expire("jobs", submitted.id, "spent");
    await expect(submitted.done).rejects.toMatchObject({ code: "fenced" });
    await until(async () => (await since()).includes("job.finished"));
    await second.coordinator.idle();
    const end = (await eventsOf(thinking.bench, submitted.id)).find((event) => event.type === "job.finished");
    expect(end?.data).toMatchObject({ outcome: "succeeded", result: { usage: { cost_known: true } } });
  }, 25_000);

  it("are left to others by a node that has not what their commands are promised", async () => {
    delayMs = () => 20;
    const { ceiling } = thinking.bench.equipment;
    const has = { ...ceiling, secrets: { TOKEN: "a-secret-of-the-owner" } };
    await using first = await openNode("keeper", 1, false, { ceiling: has });
    await using _poor = await openNode("poor", 4);
    const other = { ...has, approvalMs: ceiling.approvalMs + 1 };
    await using _patient = await openNode("patient", 4, false, { ceiling: other });
    const tasks = parts(4, 340).map((task) => ({
      ...task,
      steps: task.steps.map((step) => (step.kind === "agent" ? { ...step, secrets: ["TOKEN"] } : step)),
    }));
    const submitted = await first.coordinator.submit(await jobOf(tasks));
    expect(await submitted.done).toMatchObject({ outcome: "succeeded" });
    expect([...(await ownersOf(submitted.id)).keys()]).toEqual(["keeper"]);
  }, 25_000);

  it("may end at a node that takes no more, before it stops", async () => {
    delayMs = () => 0;
    const { promise, resolve: open } = Promise.withResolvers<void>();
    barrier = promise;
    await using first = await openNode("staying", 1);
    await using second = await openNode("leaving", 1);
    const submitted = await first.coordinator.submit(await jobOf(parts(4, 60)));
    const others = async () => (await ownersOf(submitted.id)).get("leaving") ?? [];
    await until(async () => (await others()).length > 0);
    const [run] = await others();
    const left = second.coordinator.leaveOthers();
    open();
    await left;
    const events = (await eventsOf(thinking.bench, submitted.id)).filter(({ run_id }) => run_id === run);
    expect(events.at(-1)).toMatchObject({ type: "run.finished", data: { state: "succeeded" } });
    expect(await submitted.done).toMatchObject({ outcome: "succeeded" });
    expect(await others()).toEqual([run]);
  }, 25_000);

  it("are handed back by a node that stops, and another one goes on with them at once", async () => {
    delayMs = () => 0;
    const { promise, resolve: open } = Promise.withResolvers<void>();
    barrier = promise;
    await using first = await openNode("staying", 2);
    const second = await openNode("leaving", 2);
    const since = thinking.server.logged.length;
    const submitted = await first.coordinator.submit(await jobOf(parts(4, 30)));
    const answers = async () =>
      (await eventsOf(thinking.bench, submitted.id)).filter(({ type }) => type === "turn.finished").length;
    // Answers that are stored, not those that were sent: what nobody has stored is asked again.
    await until(async () => (await answers()) === 4);
    await second[Symbol.asyncDispose]();
    open();
    expect(await submitted.done).toMatchObject({ outcome: "succeeded" });
    expect([...(await ownersOf(submitted.id)).keys()]).toEqual(["staying"]);
    expect(thinking.server.logged.slice(since).filter(({ turn }) => turn === 1)).toHaveLength(4);
  }, 25_000);

  it("go on when their job's owner is gone, and whoever has the job then takes what they came to", async () => {
    delayMs = () => 600;
    await using first = await openNode("lost", 2, true);
    await using second = await openNode("heir", 2);
    const since = thinking.server.logged.length;
    const submitted = await first.coordinator.submit(await jobOf(parts(4, 40)));
    submitted.done.catch(() => {});
    await until(async () => ((await ownersOf(submitted.id)).get("heir") ?? []).length > 0);
    await expire("jobs", submitted.id, "lost");
    await expect(submitted.done).rejects.toMatchObject({ code: "fenced" });
    const over = async () => (await eventsOf(thinking.bench, submitted.id)).some(({ type }) => type === "job.finished");
    await until(over);
    await second.coordinator.idle();
    const events = await eventsOf(thinking.bench, submitted.id);
    const end = events.find(({ type }) => type === "job.finished");
    expect(end?.data).toMatchObject({ outcome: "succeeded" });
    expect(events.filter(({ type }) => type === "task.started")).toHaveLength(4);
    expect(thinking.server.logged.slice(since)).toHaveLength(12);
    const used = thinking.server.logged.slice(since).reduce((sum, { usage }) => sum + usage.output_tokens, 0);
    expect(end?.data).toMatchObject({ result: { usage: { output_tokens: used } } });
  }, 25_000);

  it("end wherever they are when their job is cancelled", async () => {
    delayMs = () => 30_000;
    await using first = await openNode("asked", 1);
    await using _second = await openNode("hearing", 1);
    const submitted = await first.coordinator.submit(await jobOf(parts(4, 50)));
    await until(
      async () => (await ownersOf(submitted.id)).has("hearing") && (await ownersOf(submitted.id)).has("asked"),
    );
    await first.coordinator.cancel(submitted.id);
    expect(await submitted.done).toMatchObject({ outcome: "cancelled" });
    const { rows } = (await thinking.bench.equipment.database.orm.execute(
      `select distinct state from sheaf.runs where job_id = '${submitted.id}'`,
    )) as unknown as { rows: unknown[] };
    expect(rows).toEqual([{ state: "cancelled" }]);
    expect(await first.runs.depth()).toMatchObject({ queued: 0 });
  }, 25_000);

  it("of a small job have their turn beside those of a large one", async () => {
    delayMs = () => 60;
    await using first = await openNode("busy", 2);
    await using _second = await openNode("busier", 2);
    const large = await first.coordinator.submit(await jobOf(parts(40, 100)));
    await until(async () => (await ownersOf(large.id)).has("busier"));
    const small = await first.coordinator.submit(await jobOf(parts(3, 200)));
    await small.done;
    const events = await eventsOf(thinking.bench, large.id);
    expect(events.filter(({ type }) => type === "task.finished").length).toBeLessThan(30);
    expect(await large.done).toMatchObject({ outcome: "succeeded" });
  }, 25_000);
});

/** The node that holds that wake has said nothing for an hour, until it is somebody else's. */
async function expire(queue: "jobs" | "runs", run: string, node: string): Promise<void> {
  const { orm } = thinking.bench.equipment.database;
  const held = `where name = '${queue}' and singleton_key = '${run}' and state = 'active' and output::text like '"${node} %'`;
  await until(async () => {
    const set = `update sheaf_queue.job_common set heartbeat_on = now() - interval '1 hour' ${held} returning id`;
    const { rows } = (await orm.execute(set)) as unknown as { rows: unknown[] };
    return rows.length === 0;
  });
}
