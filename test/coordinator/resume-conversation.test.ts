import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addSpent, nothingSpent } from "../../src/budget/job-budget.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { Event } from "../../src/protocol/event.ts";
import { eventsOf } from "../support/bench-job.ts";
import { recordJob } from "../support/cut-log.ts";
import {
  model,
  openThinkingBench,
  ownOf,
  recordRun,
  resume,
  type ThinkingBench,
  thinkingTask,
  type Undisturbed,
} from "../support/thinking-job.ts";

const call = (name: string, input: unknown) => ({ name, input });
const bash = (command: string) => call("bash", { command });
const change = [
  "mv one/a.txt one/moved.txt && rm -r one/old && mkdir one/deep && echo x > one/deep/run.sh",
  "chmod +x one/deep/run.sh && ln -s moved.txt one/link && echo no > two/c.txt; cat one/moved.txt",
].join("; ");

const turns = [
  [call("read", { file_path: "one/a.txt" }), call("grep", { pattern: "b", path: "one" })],
  [
    call("edit", { file_path: "one/a.txt", old_string: "a", new_string: "edited" }),
    call("write", { file_path: "one/new.txt", content: "new\n" }),
    call("write", { file_path: "elsewhere.txt", content: "no\n" }),
  ],
  [bash(change), call("read", { file_path: "one/moved.txt" })],
  [call("edit", { file_path: "one/moved.txt", old_string: "edited", new_string: "again" })],
  [call("agent", { name: "helper", prompt: "help" }), bash("cat one/helped.txt; rm one/new.txt")],
  [call("submit", { summary: "done" })],
];
const helping = [
  [call("write", { file_path: "one/helped.txt", content: "helped\n" })],
  [call("submit", { summary: "helped" })],
];

const files = { "one/a.txt": "a\n", "one/b.txt": "b\n", "one/old/x.txt": "x\n", "two/c.txt": "c\n" };

let thinking: ThinkingBench;
let before: Undisturbed;
let undisturbed: Map<number, string>;
beforeAll(async () => {
  thinking = await openThinkingBench(({ first }) => (first.includes("help") ? helping : turns));
  const { bench } = thinking;
  before = await recordRun(bench, files, {
    agents: [{ name: "helper", instructions: "Help.", model }],
    tasks: [thinkingTask("work")],
    permissions: { allow: ["Bash", "Agent"].map(parseRule), deny: [] },
    limits: { time_ms: 60_000, idle_ms: 30_000, depth: 2 },
  });
  undisturbed = thinking.asked("work");
}, 60_000);
afterAll(() => thinking[Symbol.asyncDispose]());

const answeredIn = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === "turn.finished" ? [event.data] : []));

const tokensOf = (counts: { input_tokens: number; output_tokens: number }[]) =>
  counts.reduce((sum, each) => sum + each.input_tokens + each.output_tokens, 0);

/** From the log as it is now, against the run that nobody disturbed. */
async function goOn(what: string): Promise<void> {
  const { bench, server, asked } = thinking;
  const logged = await eventsOf(bench, before.id);
  const answered = answeredIn(ownOf(logged, before.run)).length;
  const since = server.logged.length;
  const { result, events } = await resume(bench, before.id);
  const own = ownOf(events, before.run);
  expect(result.tasks, what).toMatchObject([{ state: "succeeded", attempts: 1 }]);
  expect(result.result_tree, what).toBe(before.result.result_tree);
  expect(result.denials, what).toEqual(before.result.denials);
  for (const log of Map.groupBy(events, ({ run_id }) => run_id).values()) {
    expect(
      log.map(({ seq }) => seq),
      what,
    ).toEqual(log.map((_, index) => index + 1));
  }
  // Nothing that has an answer is asked again, and what is asked is what would have been asked.
  const requests = asked("work", since);
  expect([...requests.keys()], what).toEqual([...undisturbed.keys()].slice(answered));
  for (const [turn, body] of requests) expect(body, what).toBe(undisturbed.get(turn));
  // No call has two results.
  const results = own.flatMap((event) => (event.type === "tool.finished" ? [event.data.call_id] : []));
  expect(results, what).toEqual([...new Set(results)]);
  // What the server counted, before and since, and all that was under way in full.
  const paid = answeredIn(logged).map(({ usage }) => usage);
  const counted = server.logged.slice(since).map(({ usage }) => ({
    input_tokens: usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
    output_tokens: usage.output_tokens,
  }));
  const read = paid.map((usage) => usage.cache_read_tokens + usage.cache_write_tokens);
  const lost = tokensOf(inFlight(logged));
  const { usage } = result;
  expect(tokensOf([usage]) + usage.cache_read_tokens + usage.cache_write_tokens, what).toBe(
    tokensOf(paid) + read.reduce((sum, each) => sum + each, 0) + tokensOf(counted) + lost,
  );
  expect(Math.round(usage.cost_usd * 1e9), what).toBe(costIn(events));
}

/** The worst case of calls that nobody answered. */
function inFlight(events: readonly Event[]): { input_tokens: number; output_tokens: number }[] {
  return [...Map.groupBy(events, ({ run_id }) => run_id).values()].flatMap((log) => {
    const last = log.findLast(({ type }) => type.startsWith("turn."));
    const isOpen = last?.type === "turn.started" || last?.type === "turn.retried";
    return isOpen && last.data.ask
      ? [{ input_tokens: last.data.ask.input_tokens, output_tokens: last.data.ask.max_tokens }]
      : [];
  });
}

/** In nano-USD: of answers as they were counted, of the rest what it could have cost. */
function costIn(events: readonly Event[]): number {
  let spent = nothingSpent;
  for (const event of events) {
    if (event.type === "run.finished" && event.data.cost_nano_usd !== undefined) {
      spent = addSpent(spent, event.data.usage, event.data.cost_nano_usd);
    }
  }
  return spent.costNanoUsd;
}

describe("an agent whose process is gone", () => {
  it("goes on from whatever its log holds: no answer is paid twice, no result is made twice, the end is the same", async () => {
    const place = fc.integer({ min: 1, max: before.recorded.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, async (seq) => {
        await before.recorded.cutAt(seq);
        await goOn(`the log ended at ${seq}`);
      }),
      { numRuns: 10 },
    );
  }, 120_000);

  it("is told of an agent that it started and that was through, without starting it again", async () => {
    const isTold = (event: Event) => event.type === "tool.finished" && event.data.tool === "agent";
    await before.recorded.cutBefore(before.own.find(isTold)?.seq ?? 0);
    const asked = thinking.asked("help").size;
    const since = thinking.server.logged.length;
    await goOn("the agent it started was through");
    expect(asked).toBe(helping.length);
    expect(thinking.asked("help", since).size).toBe(0);
  });

  it("goes on from there once more, when that process is gone too", async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(share, share, async (first, second) => {
        const seq = 1 + Math.floor(first * (before.recorded.length - 2));
        await before.recorded.cutAt(seq);
        await resume(thinking.bench, before.id);
        const again = await recordJob(before.id, before.run, thinking.bench.equipment.database);
        const then = seq + Math.floor(second * (again.length - 1 - seq));
        await again.cutAt(then);
        await goOn(`the log ended at ${seq}, then at ${then}`);
      }),
      { numRuns: 4 },
    );
  }, 120_000);
});

describe("a conversation that was too long for its model", () => {
  it("is shortened again where it was, so that the next request is the same", async () => {
    const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };
    const reads = Array.from({ length: 12 }, (_, turn) => [call("read", { file_path: `one/${turn}.txt` })]);
    const script = [...reads, [call("submit", { summary: "done" })]];
    await using small = await openThinkingBench(() => script, {
      settings: { models: { own: { context: 12_000, output: 500, price } } },
    });
    const long = Object.fromEntries(reads.map((_, turn) => [`one/${turn}.txt`, `${turn} and more text\n`.repeat(220)]));
    const recorded = await recordRun(small.bench, long, { tasks: [thinkingTask("work")] });
    // Where turns are left out a conversation seems to be at an earlier turn: so the order counts.
    const bodies = () => small.server.logged.map(({ body }) => JSON.stringify(body));
    const whole = bodies();
    const left = recorded.own.flatMap((event) =>
      event.type === "turn.started" ? [event.data.manifest?.pointed.length ?? 0] : [],
    );
    expect(Math.max(...left)).toBeGreaterThan(0);
    const answers = recorded.own.filter(({ type }) => type === "turn.finished");
    expect(whole).toHaveLength(answers.length);
    for (const answered of [5, 8, 11]) {
      await recorded.recorded.cutAt(answers[answered - 1]?.seq ?? 0);
      const since = small.server.logged.length;
      const { result } = await resume(small.bench, recorded.id);
      expect(result.tasks).toMatchObject([{ attempts: 1 }]);
      expect(bodies().slice(since), `after ${answered} answers`).toEqual(whole.slice(answered));
    }
  }, 60_000);
});
