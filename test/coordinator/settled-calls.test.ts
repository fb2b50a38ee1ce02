import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spentIn } from "../../src/coordinator/result/result-usage.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import type { Event, Fact } from "../../src/protocol/event.ts";
import { jobId } from "../../src/protocol/ids.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { ModelAsk } from "../../src/protocol/run-fact.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import type { Behave } from "../support/messages/reply.ts";
import { defaultKey } from "../support/messages/take.ts";
import { type MessagesServer, openMessagesServer } from "../support/messages-server.ts";

const refusals: Readonly<Record<string, { status: number; type: string; message: string }>> = {
  key: { status: 401, type: "authentication_error", message: "invalid x-api-key" },
  permission: { status: 403, type: "permission_error", message: "not yours" },
  name: { status: 404, type: "not_found_error", message: "model: own" },
  field: { status: 400, type: "invalid_request_error", message: "what is that" },
  length: { status: 400, type: "invalid_request_error", message: "prompt is too long: 9 tokens > 8 maximum" },
};

/** Is refused what its prompt names, or never answers, or submits. */
const behave: Behave = ({ first }) => {
  const refused = Object.entries(refusals).find(([name]) => first.includes(`refused: ${name}`));
  if (refused) return refused[1];
  if (first.includes("no answer") || first.includes("die: asking")) return { delayMs: 60_000 };
  return { calls: [{ name: "submit", input: { summary: "done" } }] };
};

function asking(id: string, prompt: string): NamedTask {
  const model = { provider: "messages", via: "anthropic", model: "own" } as const;
  const agent = { name: "writer", instructions: "Write.", model };
  return { id, writes: [{ directories: [id] }], steps: [{ kind: "agent", agent, prompt }] };
}

const two = [asking("task-1", "no answer"), asking("task-2", "no answer")];

describe("a model call that brought no answer", () => {
  let server: MessagesServer;
  let bench: TestBench;
  let ground: Awaited<ReturnType<TestBench["repository"]>>;
  beforeAll(async () => {
    server = await openMessagesServer({ behave, leastTokens: 10 });
    const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };
    bench = await openTestBench({
      settings: {
        models: { own: { context: 100_000, output: 1_000, price } },
        endpoint: { concurrency: 1 },
        budget: { tokens_per_day: 1_000_000 },
      },
      variables: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: defaultKey },
      worker: new URL("../support/sabotage.ts", import.meta.url),
      threads: 1,
    });
    ground = await bench.repository({ "a.txt": "a\n" });
  }, 60_000);
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function run(tasks: NamedTask[], { stopAt, ...limits }: Partial<JobSpec["limits"]> & { stopAt?: number } = {}) {
    const { repository, spec } = ground;
    const job = { ...spec, tasks, limits: { ...spec.limits, ...limits } };
    let asks = 0;
    const onFact = (_: string, { type }: Fact) => {
      if (type === "turn.started" && ++asks === stopAt) setTimeout(() => stop.abort(), 300);
    };
    const stop = new AbortController();
    const submitted = await bench.coordinator.submit({ spec: job, repository, onFact });
    stop.signal.addEventListener("abort", () => void bench.coordinator.cancel(submitted.id));
    const result = await submitted.done;
    const id = jobId.parse(result.job.id);
    const events = (await readJobEvents(id, 0, bench.equipment.database)).map(({ event }) => event);
    const spans = await readTrace(id, bench.equipment.database);
    const reasons = spans.filter(({ name }) => name.startsWith("sheaf.queue")).map(({ attributes }) => attributes);
    return { result, events, waited: JSON.stringify(reasons) };
  }

  async function dayTokens(): Promise<number> {
    const books = "select (spent_tokens + reserved_tokens)::float8 as tokens from sheaf.day_budgets";
    const { rows } = (await bench.equipment.database.orm.execute(books)) as unknown as { rows: { tokens: number }[] };
    return rows[0]?.tokens ?? 0;
  }

  it.each(Object.keys(refusals))("costs nothing where it was refused: %s", async (name) => {
    const before = await dayTokens();
    const { result, events } = await run([asking("task-1", `refused: ${name}`)]);
    expect(result.tasks).toMatchObject([{ state: "failed" }]);
    expect(result.usage).toMatchObject({ input_tokens: 0, output_tokens: 0, cost_usd: 0, cost_known: true });
    expect(result.usage.is_assumed).toBeUndefined();
    const ends = events.filter(({ type }) => type === "turn.failed").map(({ data }) => data);
    expect(ends).toMatchObject([{ turn: 1, status: refusals[name]?.status, is_billed: false }]);
    expect(spentIn(events).usage).toMatchObject({ input_tokens: 0, output_tokens: 0 });
    expect(await dayTokens()).toBe(before);
  });

  it("costs nothing where its run ended before it could go, which the trace shows as waiting for its rate", async () => {
    const { result, events, waited } = await run(two, { stopAt: 2 });
    const [asked] = asksIn(events);
    const once = { input_tokens: asked?.input_tokens, output_tokens: asked?.max_tokens, is_assumed: true };
    expect(result.usage).toMatchObject(once);
    expect(spentIn(events).usage).toMatchObject(once);
    const ends = events.filter(({ type }) => type === "turn.failed").map(({ data }) => data);
    expect(ends).toMatchObject([{ turn: 1, is_billed: false }]);
    expect(waited).toContain('"sheaf.queue.wait_reason":"rate"');
  });

  it("holds others up until it is over, which the trace shows as waiting for the budget", async () => {
    const { waited, result } = await run(two, { stopAt: 2, tokens: 6_000 });
    expect(waited).toContain('"sheaf.queue.wait_reason":"budget"');
    expect(result.usage.input_tokens + result.usage.output_tokens).toBeLessThanOrEqual(6_000);
  });

  it("is counted in full, and once, where its thread died", async () => {
    const { result, events } = await run([asking("task-1", "die: asking")]);
    expect(result.tasks).toMatchObject([{ state: "failed", reason: { code: "thread_died" } }]);
    const asks = asksIn(events);
    // Among others, alone from its log, and alone anew.
    expect(asks).toHaveLength(3);
    expect(result.tasks).toMatchObject([{ attempts: 2 }]);
    const [input_tokens, output_tokens] = [sumOf(asks, "input_tokens"), sumOf(asks, "max_tokens")];
    expect(result.usage).toMatchObject({ input_tokens, output_tokens, is_assumed: true });
    expect(spentIn(events).usage).toMatchObject({ input_tokens, output_tokens });
  });
});

function asksIn(events: readonly Event[]): ModelAsk[] {
  const intents = events.filter(({ type }) => type === "turn.started" || type === "turn.retried");
  return intents.flatMap(({ data }) => ("ask" in data && data.ask ? [data.ask] : []));
}

function sumOf(asks: readonly ModelAsk[], of: keyof ModelAsk): number {
  return asks.reduce((sum, ask) => sum + ask[of], 0);
}
