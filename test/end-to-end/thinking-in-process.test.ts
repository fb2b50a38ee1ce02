import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ModelSpec } from "../../src/protocol/agent.ts";
import type { Fact, FactData } from "../../src/protocol/event.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { Result } from "../../src/protocol/result.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import type { Asked, Behave, Break, Reply } from "../support/messages/reply.ts";
import { defaultKey, type ServerOptions } from "../support/messages/take.ts";
import { totalOf } from "../support/messages/tally.ts";
import { type MessagesServer, openMessagesServer } from "../support/messages-server.ts";

/** A job of thinking agents with a real coordinator, threads, SDK and HTTP, while their endpoint has its bad days. */
let bench: TestBench;
let server: MessagesServer;
let behave: Behave = () => ({});

const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };

async function open(options: Partial<ServerOptions> = {}): Promise<{ bench: TestBench; server: MessagesServer }> {
  const server = await openMessagesServer({ behave: (asked) => behave(asked), leastTokens: 10, ...options });
  const bench = await openTestBench({
    settings: { models: { own: { context: 100_000, output: 2_000, price } }, endpoint: { stall: "1s" } },
    variables: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: defaultKey },
  });
  return { bench, server };
}
beforeAll(async () => {
  ({ bench, server } = await open());
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
/** Where the server's book stood. */
let from = 0;
beforeEach(() => {
  behave = mend;
  from = server.logged.length;
});
const counted = () => totalOf(server.logged.slice(from));

const own: ModelSpec = { provider: "messages", via: "anthropic", model: "own" };

function task(id: string, model: ModelSpec = own): NamedTask {
  const agent = { name: "mender", instructions: "Mend what you are asked to.", model };
  return { id, writes: [{ directories: [id] }], steps: [{ kind: "agent", agent, prompt: `Mend ${id}/a.txt.` }] };
}

/** Reads a file, changes it, submits. */
function mend({ turn, first }: Pick<Asked, "turn" | "first">): Reply {
  const file_path = /Mend (\S+\/a\.txt)/.exec(first)?.[1] ?? "";
  if (turn === 1) return { say: "I look.", calls: [{ name: "read", input: { file_path } }] };
  const change = { file_path, old_string: "broken", new_string: "mended" };
  if (turn === 2) return { calls: [{ name: "edit", input: change }] };
  return { calls: [{ name: "submit", input: { summary: "mended" } }] };
}

const filesOf = (ids: readonly string[]) => Object.fromEntries(ids.map((id) => [`${id}/a.txt`, `${id} is broken\n`]));

interface Done {
  result: Result;
  facts: Fact[];
}

interface Away {
  model?: ModelSpec;
  files?: Record<string, string>;
  at?: TestBench;
}

async function run(
  ids: readonly string[],
  { model, files = filesOf(ids), at = bench, ...more }: Partial<JobSpec> & Away = {},
): Promise<Done> {
  const { repository, spec } = await at.repository(files);
  const facts: Fact[] = [];
  const tasks = ids.map((id) => task(id, model));
  const order = {
    spec: { ...spec, tasks, ...more },
    repository,
    onFact: (_: string, fact: Fact) => void facts.push(fact),
  };
  return { result: await (await at.coordinator.submit(order)).done, facts };
}

describe("agents that think", () => {
  it("share one prefix: the first writes it, all others wait for that and read it", async () => {
    // The first test of all: nobody has asked this server before.
    behave = (asked) => ({ ...mend(asked), delayMs: 60 });
    const ids = Array.from({ length: 12 }, (_, index) => `part${index}`);
    const { result } = await run(ids);
    expect(result.outcome).toBe("succeeded");
    const first = server.logged.slice(from).filter(({ turn }) => turn === 1);
    expect(first).toHaveLength(12);
    expect(first.filter(({ usage }) => usage.cache_read_input_tokens === 0)).toHaveLength(1);
    const { input_tokens, cache_read_tokens, cache_write_tokens } = result.usage;
    expect(cache_read_tokens / (input_tokens + cache_read_tokens + cache_write_tokens)).toBeGreaterThan(0.9);
  });

  it("wait out whatever their endpoint does to them, and count what it may have billed", async () => {
    const broken = (after: number, how: Break["how"]): Reply => ({ say: "I was going to", break: { after, how } });
    const troubles: Record<string, Reply> = {
      busy: { status: 429, headers: { "retry-after-ms": "30" } },
      overloaded: { status: 529 },
      failing: { status: 500 },
      closed: { status: 500, isDropped: true },
      cut: broken(4, "disconnect"),
      ended: broken(4, "end"),
      stalled: broken(3, "stall"),
      erring: broken(3, "overloaded_error"),
    };
    behave = (asked) => {
      const name = /Mend (\w+)/.exec(asked.first)?.[1] ?? "";
      return asked.turn === 2 && asked.attempt === 1 ? (troubles[name] ?? {}) : mend(asked);
    };
    const names = Object.keys(troubles);
    const { result, facts } = await run(names);
    expect(result).toMatchObject({ outcome: "succeeded", denials: [] });
    expect(result.tasks.map(({ state, attempts }) => [state, attempts])).toEqual(names.map(() => ["succeeded", 1]));
    const retried = facts.flatMap((fact) => (fact.type === "turn.retried" ? [fact.data] : []));
    expect(retried.map(({ turn, attempt }) => [turn, attempt])).toEqual(names.map(() => [2, 2]));
    // Those that broke off, and the one whose connection was closed: nobody knows whether it was counted.
    expect(retried.filter(({ is_billed }) => is_billed)).toHaveLength(counted().broken + 1);
    const total = counted();
    expect(result.usage.output_tokens).toBeGreaterThanOrEqual(total.output_tokens);
    const answered = facts.flatMap((fact) => (fact.type === "turn.finished" ? [fact.data] : []));
    expect(sum(answered, "output_tokens")).toBe(total.output_tokens);
    expect(sum(answered, "cache_read_tokens")).toBe(total.cache_read_tokens);
  });

  it("keep to a rate that they learn of only by being refused: nobody fails, nobody is lost", async () => {
    const slow = await open({ rate: { perMinute: 1_500, burst: 5 } });
    await using _bench = slow.bench;
    await using _server = slow.server;
    const ids = Array.from({ length: 10 }, (_, index) => `part${index}`);
    const { result } = await run(ids, { at: slow.bench });
    expect(result.outcome).toBe("succeeded");
    expect(result.tasks.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(slow.server.total().requests).toBe(30);
  });

  it("go on when their thread dies in the middle of an answer, and what that may have cost is counted", async () => {
    let fell = false;
    behave = async (asked) => {
      if (asked.turn !== 2 || fell) return mend(asked);
      fell = true;
      const { pool } = bench.equipment.pool();
      for (const { threadId } of pool.threads()) pool.end(threadId);
      return mend(asked);
    };
    const { result, facts } = await run(["one", "two"]);
    expect(result.outcome).toBe("succeeded");
    expect(result.tasks.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(facts.some((fact) => fact.type === "turn.retried" && fact.data.reason === "interrupted")).toBe(true);
    const answered = facts.flatMap((fact) => (fact.type === "turn.finished" ? [fact.data] : []));
    expect(result.usage.output_tokens).toBeGreaterThan(sum(answered, "output_tokens"));
  });

  it("stop at a limit of turns with what they have done kept, and the job says limit", async () => {
    behave = ({ turn, first }) => {
      if (turn <= 2) return mend({ turn, first });
      return { calls: [{ name: "read", input: { file_path: "one/a.txt", view_range: [1, turn] } }] };
    };
    const { result } = await run(["one"], { limits: { time_ms: 60_000, idle_ms: 30_000, turns: 4 } });
    expect(result).toMatchObject({ outcome: "limit", exit_code: 11, tasks: [{ state: "limit", files_changed: 1 }] });
    expect(counted().requests).toBe(4);
  });
});

describe("a recorded job", () => {
  const ids = ["one", "two"];

  it("answers for its model: the same tree, the tokens of then, no money, no request", async () => {
    const { result: recorded } = await run(ids);
    const asked = server.total().requests;
    const model: ModelSpec = { provider: "replay", of: recorded.job.handle };
    const { result } = await run(ids, { model });
    expect(result).toMatchObject({ outcome: "succeeded", result_tree: recorded.result_tree });
    expect(result.usage).toEqual({ ...recorded.usage, cost_usd: 0 });
    expect(server.total().requests).toBe(asked);
    const spans = await bench.coordinator.trace(result.job.id as never);
    const chats = spans.filter(({ name }) => name.startsWith("chat "));
    expect(chats.map(({ attributes }) => attributes["sheaf.replay"])).toEqual(Array(6).fill("hit"));
  });

  it("says which task was asked another thing, at which turn, and what: nobody else is asked instead", async () => {
    const { result: recorded } = await run(ids);
    const asked = server.total().requests;
    const model: ModelSpec = { provider: "replay", of: recorded.job.id };
    const files = { ...filesOf(ids), "two/a.txt": "two is quite broken\n" };
    const { result } = await run(ids, { model, files });
    expect(result).toMatchObject({ outcome: "partial", tasks: [{ state: "succeeded" }, { state: "failed" }] });
    expect(result.tasks[1]?.reason).toMatchObject({
      code: "replay",
      message: expect.stringMatching(/turn 2: the result of read \(\w+\) shows another two\/a\.txt/),
    });
    expect(server.total().requests).toBe(asked);
  });

  it("is refused before anything runs where there is none, it still runs, or the file is no recording", async () => {
    const refused = (model: ModelSpec) => run(ids, { model });
    await expect(refused({ provider: "replay", of: "nobody-7" })).rejects.toThrow('there is no job "nobody-7"');
    const recording = JSON.stringify({ schema: "sheaf.recording/v1", job: "x", runs: [{ task_id: "one" }] });
    await expect(refused({ provider: "replay", of: "x.json", recording })).rejects.toThrow(
      /x\.json is no recording: runs\.0\.step/,
    );
  });
});

function sum(answered: readonly FactData<"turn.finished">[], what: "output_tokens" | "cache_read_tokens"): number {
  return answered.reduce((total, { usage }) => total + usage[what], 0);
}
