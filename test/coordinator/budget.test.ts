import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import { openSpending } from "../../src/coordinator/gate/spending.ts";
import { submit } from "../../src/coordinator/submit.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import type { RunLimits } from "../../src/protocol/agent.ts";
import type { Event } from "../../src/protocol/event.ts";
import { jobId } from "../../src/protocol/ids.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import { modelSettingsOf } from "../../src/settings/models.ts";
import { writtenSettings } from "../../src/settings/written.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import type { Behave } from "../support/messages/reply.ts";
import { defaultKey } from "../support/messages/take.ts";
import { type MessagesServer, openMessagesServer } from "../support/messages-server.ts";

const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };
const settings = { models: { own: { context: 100_000, output: 1_000, price } } };

/** Writes a file a turn, as often as its prompt says, then submits; or never answers. */
const writer: Behave = ({ turn, first }) => {
  const [, place = "", turns = ""] = /(task-\d+) in (\w+) turns/.exec(first) ?? [];
  if (turns === "no") return { delayMs: 60_000 };
  const input = { file_path: `${place}/f${turn}.txt`, content: `${turn}\n` };
  if (turn <= Number(turns)) return { calls: [{ name: "write", input }] };
  return { calls: [{ name: "submit", input: { summary: "done" } }] };
};

function thinking(index: number, turns: number | "no", limits?: RunLimits): NamedTask {
  const id = `task-${index}`;
  const model = { provider: "messages", via: "anthropic", model: "own" } as const;
  const agent = { name: "writer", instructions: "Write.", model, ...(limits ? { limits } : {}) };
  const prompt = `write into ${id} in ${turns} turns`;
  return { id, writes: [{ directories: [id] }], steps: [{ kind: "agent", agent, prompt }] };
}

async function eventsOf(bench: TestBench, id: string): Promise<Event[]> {
  const page = await readJobEvents(jobId.parse(id), 0, bench.equipment.database);
  return page.map(({ event }) => event);
}

describe("what a job may spend", () => {
  let server: MessagesServer;
  let bench: TestBench;
  let ground: Awaited<ReturnType<TestBench["repository"]>>;
  beforeAll(async () => {
    server = await openMessagesServer({ behave: writer, leastTokens: 10 });
    const variables = { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: defaultKey };
    bench = await openTestBench({ settings: { ...settings, budget: { tokens_per_job: 200_000 } }, variables });
    ground = await bench.repository({ "a.txt": "a\n" });
  }, 60_000);
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function run(tasks: NamedTask[], limits: Partial<JobSpec["limits"]> = {}) {
    const { repository, spec } = ground;
    const order = { spec: { ...spec, tasks, limits: { ...spec.limits, ...limits } }, repository };
    const job = await bench.coordinator.submit(order);
    const result = await job.done;
    return { result, events: await eventsOf(bench, result.job.id) };
  }

  it("is counted to the token and the nano-dollar as the server counts it", async () => {
    const { result, events } = await run([thinking(1, 2), thinking(2, 2), thinking(3, 2)]);
    expect(result.outcome).toBe("succeeded");
    const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = result.usage;
    const used = { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens };
    expect(server.total()).toMatchObject(used);
    const nano = input_tokens * 3_000 + output_tokens * 15_000 + cache_read_tokens * 300 + cache_write_tokens * 3_750;
    expect(result.usage.cost_known).toBe(true);
    expect(Math.round(result.usage.cost_usd * 1e9)).toBe(nano);
    const ofTasks = result.tasks.reduce((sum, task) => sum + (task.usage?.cost_usd ?? 0), 0);
    expect(ofTasks).toBeCloseTo(result.usage.cost_usd, 9);
    const told = events.flatMap((event) => (event.type === "run.finished" ? [event.data.cost_nano_usd ?? 0] : []));
    expect(told.reduce((sum, cost) => sum + cost, 0)).toBe(nano);
    const columns = "tenant, model, is_cost_known, cost_nano_usd::float8 as cost";
    const books = await bench.equipment.database.orm.execute(`select ${columns} from sheaf.usage`);
    expect(books).toMatchObject({ rows: [{ tenant: "default", model: "own", is_cost_known: true, cost: nano }] });
  });

  it.each([
    ["the job's", { tokens: 12_000 }, undefined, "tokens", "job"],
    ["one task's", { task: { tokens: 12_000 } }, undefined, "tokens", "task"],
    ["one run's", {}, { nano_usd: 60_000_000 }, "usd", "run"],
  ] as const)("ends with %s budget: told before, never exceeded, and what was done is kept", async (...row) => {
    const [, limits, own, code, scope] = row;
    const { result, events } = await run([thinking(1, 30, own)], limits);
    expect(result).toMatchObject({ outcome: "limit", exit_code: 11, limit: code });
    const [task] = result.tasks;
    expect(task).toMatchObject({ state: "limit", reason: { code } });
    expect(task?.reason?.message).toContain(`the ${scope}'s budget`);
    expect(task?.files_changed).toBeGreaterThan(0);
    expect(task?.commit).toBeDefined();
    const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd } = result.usage;
    const tokens = input_tokens + output_tokens + cache_read_tokens + cache_write_tokens;
    expect(code === "usd" ? cost_usd : tokens).toBeLessThanOrEqual(code === "usd" ? 0.06 : 12_000);
    const ends = events.filter(({ type }) => type === "budget.exhausted");
    expect(ends.map(({ data }) => data)).toMatchObject([{ scope, of: code, reserved: 0 }]);
    const warned = events.filter(({ type }) => type === "budget.warned").length;
    const notices = events.filter(({ type }) => type === "run.notified").length;
    expect(warned).toBe(notices);
  });

  it("begins no further task when the job's is used up", async () => {
    const tasks = [thinking(1, 30), thinking(2, 1), thinking(3, 1)];
    const { result, events } = await run(tasks, { tokens: 12_000, concurrency: 1 });
    expect(result).toMatchObject({ outcome: "limit", exit_code: 11, limit: "tokens" });
    const left = { state: "limit", attempts: 0, reason: { code: "tokens" } };
    expect(result.tasks).toMatchObject([{ state: "limit", attempts: 1 }, left, left]);
    expect(events.filter(({ type }) => type === "task.started")).toHaveLength(1);
    expect(events.filter(({ type }) => type === "task.finished")).toHaveLength(3);
  });

  it("counts a call that nobody answered in full, as assumed", async () => {
    const { result, events } = await run([thinking(1, "no", { time_ms: 1_500 })]);
    expect(result).toMatchObject({ outcome: "limit", limit: "time" });
    const asks = events.flatMap((event) => (event.type === "turn.started" ? [event.data.ask] : []));
    expect(result.usage).toMatchObject({
      input_tokens: asks[0]?.input_tokens,
      output_tokens: asks[0]?.max_tokens,
      is_assumed: true,
      cost_known: true,
    });
  });
});

describe("a job with a model that cannot be used", () => {
  const here = { ANTHROPIC_BASE_URL: "http://127.0.0.1:9" };

  it("is refused before anything runs: no key, or money limited and no price known", async () => {
    await using bench = await openTestBench();
    const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
    const refusal = async (
      variables: Record<string, string>,
      limits: Partial<JobSpec["limits"]>,
      budget: Record<string, number> = {},
    ) => {
      const written = modelSettingsOf(writtenSettings.parse({ budget }), undefined);
      const variable = (name: string) => variables[name];
      const models = createModelDirectory({ settings: written, variable, now: Date.now });
      const equipment = { ...bench.equipment, models, spending: openSpending(written, bench.equipment) };
      const job = { ...spec, tasks: [thinking(1, 1)], limits: { ...spec.limits, ...limits } };
      return submit({ spec: job, repository }, equipment).catch((thrown: unknown) => thrown);
    };
    const price = { remedy: expect.stringContaining("price") };
    expect(await refusal({}, {})).toMatchObject({
      code: "credentials",
      message: expect.stringContaining("api.anthropic"),
    });
    expect(await refusal(here, { nano_usd: 1 })).toMatchObject({ code: "job_file", ...price });
    expect(await refusal(here, { task: { nano_usd: 1 } })).toMatchObject({ code: "job_file", ...price });
    expect(await refusal(here, {}, { usd_per_job: 1 })).toMatchObject({ code: "configuration", ...price });
  });
});
