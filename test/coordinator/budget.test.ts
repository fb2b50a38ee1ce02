import { describe, expect, it } from "vitest";
import { readJobEvents } from "../../src/db/read-events.ts";
import type { RunLimits } from "../../src/protocol/agent.ts";
import type { Event } from "../../src/protocol/event.ts";
import { jobId } from "../../src/protocol/ids.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { defaultKey } from "../support/messages/take.ts";
import { type MessagesServer, openMessagesServer } from "../support/messages-server.ts";

const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };
const settings = { models: { own: { context: 100_000, output: 1_000, price } } };

/** Writes a file a turn, as often as `turns` says, then submits. */
function writer(turns: number): (asked: { turn: number; first: string }) => object {
  return ({ turn, first }) => {
    const place = /task-\d+/.exec(first)?.[0] ?? "task-0";
    const name = `${place}/f${turn}.txt`;
    if (turn <= turns) return { calls: [{ name: "write", input: { file_path: name, content: `${turn}\n` } }] };
    return { calls: [{ name: "submit", input: { summary: "done" } }] };
  };
}

function thinking(index: number, limits?: RunLimits): NamedTask {
  const id = `task-${index}`;
  const model = { provider: "messages", via: "anthropic", model: "own" } as const;
  const agent = { name: "writer", instructions: "Write.", model, ...(limits ? { limits } : {}) };
  return { id, writes: [{ directories: [id] }], steps: [{ kind: "agent", agent, prompt: `write into ${id}` }] };
}

async function eventsOf(bench: TestBench, id: string): Promise<Event[]> {
  const page = await readJobEvents(jobId.parse(id), 0, bench.equipment.database);
  return page.map(({ event }) => event);
}

async function runOn(
  server: MessagesServer,
  tasks: NamedTask[],
  limits: Partial<JobSpec["limits"]> = {},
  budget: Record<string, number> = {},
) {
  const variables = { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: defaultKey };
  const bench = await openTestBench({ settings: { ...settings, budget }, variables });
  const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
  const order = { spec: { ...spec, tasks, limits: { ...spec.limits, ...limits } }, repository };
  const job = await bench.coordinator.submit(order);
  const result = await job.done;
  return { bench, result, events: await eventsOf(bench, result.job.id) };
}

describe("what a job may spend", () => {
  it("is counted to the token and the nano-dollar as the server counts it", async () => {
    await using server = await openMessagesServer({ behave: writer(2) as never, leastTokens: 10 });
    const { bench, result, events } = await runOn(server, [thinking(1), thinking(2), thinking(3)]);
    await using _ = bench;
    expect(result.outcome).toBe("succeeded");
    const total = server.total();
    expect(result.usage).toMatchObject({
      input_tokens: total.input_tokens,
      output_tokens: total.output_tokens,
      cache_read_tokens: total.cache_read_tokens,
      cache_write_tokens: total.cache_write_tokens,
      cost_known: true,
    });
    const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = result.usage;
    const nano = input_tokens * 3_000 + output_tokens * 15_000 + cache_read_tokens * 300 + cache_write_tokens * 3_750;
    expect(Math.round(result.usage.cost_usd * 1e9)).toBe(nano);
    const ofTasks = result.tasks.reduce((sum, task) => sum + (task.usage?.cost_usd ?? 0), 0);
    expect(ofTasks).toBeCloseTo(result.usage.cost_usd, 9);
    const told = events.flatMap((event) => (event.type === "run.finished" ? [event.data.cost_nano_usd ?? 0] : []));
    expect(told.reduce((sum, cost) => sum + cost, 0)).toBe(nano);
  });

  it.each([
    ["the job's", { tokens: 12_000 }, undefined, "tokens", "job"],
    ["one task's", { task: { tokens: 12_000 } }, undefined, "tokens", "task"],
    ["one run's", {}, { nano_usd: 60_000_000 }, "usd", "run"],
  ] as const)("ends with %s budget: told before, never exceeded, and what was done is kept", async (...row) => {
    const [, limits, own, code, scope] = row;
    await using server = await openMessagesServer({ behave: writer(30) as never });
    const { bench, result, events } = await runOn(server, [thinking(1, own)], limits);
    await using _ = bench;
    expect(result).toMatchObject({ outcome: "limit", exit_code: 11, limit: code });
    const [task] = result.tasks;
    expect(task).toMatchObject({ state: "limit", reason: { code } });
    expect(task?.reason?.message).toContain(`the ${scope}'s budget`);
    expect(task?.files_changed).toBeGreaterThan(0);
    expect(task?.commit).toBeDefined();
    const spent =
      code === "usd"
        ? result.usage.cost_usd * 1e9
        : result.usage.input_tokens +
          result.usage.output_tokens +
          result.usage.cache_read_tokens +
          result.usage.cache_write_tokens;
    expect(spent).toBeLessThanOrEqual(code === "usd" ? 60_000_000 : 12_000);
    const ends = events.filter(({ type }) => type === "budget.exhausted");
    expect(ends.map(({ data }) => data)).toMatchObject([{ scope, of: code, reserved: 0 }]);
    const warned = events.filter(({ type }) => type === "budget.warned").length;
    const notices = events.filter(({ type }) => type === "run.notified").length;
    expect(warned).toBe(notices);
  });

  it("is limited by the operator, whatever the job asks for", async () => {
    await using server = await openMessagesServer({ behave: writer(30) as never });
    const { bench, result } = await runOn(server, [thinking(1)], { tokens: 10_000_000 }, { tokens_per_job: 10_000 });
    await using _ = bench;
    expect(result).toMatchObject({ outcome: "limit", limit: "tokens" });
  });
});

describe("a job with a model that cannot be used", () => {
  const submit = async (variables: Record<string, string>, limits: Partial<JobSpec["limits"]>, more = {}) => {
    await using bench = await openTestBench({ settings: more, variables });
    const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
    const order = { spec: { ...spec, tasks: [thinking(1)], limits: { ...spec.limits, ...limits } }, repository };
    return bench.coordinator.submit(order).catch((thrown: unknown) => thrown);
  };
  const here = { ANTHROPIC_BASE_URL: "http://127.0.0.1:9" };

  it("is refused before anything runs: no key, or money limited and no price known", async () => {
    expect(await submit({}, {})).toMatchObject({
      code: "credentials",
      message: expect.stringContaining("api.anthropic"),
    });
    expect(await submit(here, { nano_usd: 1 })).toMatchObject({
      code: "job_file",
      remedy: expect.stringContaining("price"),
    });
    expect(await submit(here, { task: { nano_usd: 1 } })).toMatchObject({ code: "job_file" });
    expect(await submit(here, {}, { budget: { usd_per_job: 1 } })).toMatchObject({ code: "configuration" });
  });
});
