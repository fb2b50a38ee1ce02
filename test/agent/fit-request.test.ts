import { expect, test } from "vitest";
import { ModelFailed } from "../../src/model/model.ts";
import type { Manifest } from "../../src/protocol/run-fact.ts";
import { objection } from "../transcript/conversation.ts";
import { asks, openTalk, says, type Talk } from "./talk.ts";

const submit = asks(["submit", { summary: "done" }]);
const big = { "src/a.ts": `${"x".repeat(99)}\n`.repeat(120) };

function manifests({ facts }: Talk): (Manifest | undefined)[] {
  return facts.flatMap((fact) => (fact.type === "turn.started" ? [fact.data.manifest] : []));
}

const reading = async (_: unknown, attempt: number) =>
  attempt > 12
    ? submit
    : { ...asks(["read", { file_path: "src/a.ts", view_range: [1, 100 + attempt] }]), usage: countedBy(attempt) };

/** As an endpoint that counts a little less than the estimate says. */
function countedBy(attempt: number) {
  return { input_tokens: 1_500 + attempt * 2_800, output_tokens: 10, cache_read_tokens: 0, cache_write_tokens: 0 };
}

test("a conversation that outgrows its context loses its oldest results first, says so, and goes on to its end", async () => {
  using run = openTalk({ files: big, said: reading, card: { context_tokens: 30_000, output_tokens: 4_000 } });
  expect(await run.turns()).toEqual({ kind: "done" });
  const made = manifests(run);
  expect(made.some((manifest) => (manifest?.pointed.length ?? 0) > 0)).toBe(true);
  const calls = run.facts.flatMap((fact) => (fact.type === "tool.finished" ? [fact.data.call_id] : []));
  for (const manifest of made) {
    const gone = [...(manifest?.dropped ?? []), ...(manifest?.pointed ?? [])];
    expect(calls.slice(0, gone.length)).toEqual(gone);
  }
  for (const { messages } of run.requests) expect(objection(messages)).toBeUndefined();
  expect(run.requests.at(-1)?.messages[0]?.content[0]).toMatchObject({ text: "Task one\n\nDo it." });
  for (const { maxTokens } of run.requests) expect(maxTokens).toBeGreaterThan(0);
});

test("an endpoint that finds a request too long gets a shorter one, as an attempt whose manifest says what is missing", async () => {
  let asked = 0;
  using run = openTalk({
    files: big,
    async said() {
      asked += 1;
      if (asked === 6) return new ModelFailed("too_long", "prompt is too long: 210000 tokens > 200000 maximum");
      return asked > 7 ? submit : asks(["read", { file_path: "src/a.ts", view_range: [1, 100 + asked] }]);
    },
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  const [retried] = run.facts.flatMap((fact) => (fact.type === "turn.retried" ? [fact.data] : []));
  expect(retried?.manifest?.pointed.length).toBeGreaterThan(0);
  expect(retried?.ask.input_tokens).toBeLessThan(
    run.facts.flatMap((f) => (f.type === "turn.started" ? [f.data.ask?.input_tokens ?? 0] : []))[5] ?? 0,
  );
  expect(JSON.stringify(run.requests[6]?.messages)).toContain("[left out to make room: the result of read src/a.ts;");
});

test("a request that stays too long ends the run with a remedy, after as many attempts as there was something to leave out", async () => {
  using run = openTalk({ files: big, said: async () => new ModelFailed("too_long", "prompt is too long") });
  expect(await run.turns()).toMatchObject({ kind: "ended", isStopped: false, failure: { code: "too_long" } });
  expect(run.requests.length).toBe(1);
});

test("a task that could never fit is not asked at all", async () => {
  using run = openTalk({
    said: [submit],
    brief: "long ".repeat(20_000),
    card: { context_tokens: 8_192, output_tokens: 1_000 },
  });
  expect(await run.turns()).toMatchObject({ kind: "ended", failure: { code: "too_long" } });
  expect(run.requests.length).toBe(0);
});

test("an answer that the context cut off is told so, and the next request is shorter", async () => {
  const ask = (index: number) => asks(["read", { file_path: "src/a.ts", view_range: [1, 100 + index] }]);
  using run = openTalk({
    files: big,
    said: [ask(1), ask(2), ask(3), ask(4), ask(5), ask(6), says("I was about to", "too_long"), submit],
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(manifests(run).at(-1)?.pointed.length).toBeGreaterThan(0);
  const last = run.requests.at(-1)?.messages.at(-1)?.content[0];
  expect(last).toMatchObject({ type: "text", text: expect.stringContaining("the context was full") });
});

test("an answer may have as many tokens as its agent, its model and its context allow, the least of them", async () => {
  const most = async (options: { maxTokens?: number; card: object; estimate?: () => number }) => {
    using run = openTalk({ said: [submit], ...options });
    await run.turns();
    return run.requests[0]?.maxTokens;
  };
  expect(await most({ card: {} })).toBe(8_192);
  expect(await most({ card: { output_tokens: 4_096 } })).toBe(4_096);
  expect(await most({ card: {}, maxTokens: 20_000 })).toBe(20_000);
  expect(await most({ card: { context_tokens: 10_000 }, estimate: () => 6_000 })).toBe(4_000);
});

test("after an answer that was cut off the next may be longer, up to what its model can say", async () => {
  const cut = says("first I will", "max_tokens");
  using run = openTalk({ said: [cut, cut, asks(["list", { path: "" }]), submit], card: { output_tokens: 64_000 } });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(run.requests.map(({ maxTokens }) => maxTokens)).toEqual([8_192, 32_768, 64_000, 64_000]);
});

test("the reservation follows an endpoint that counts more than was estimated", async () => {
  const counted = { input_tokens: 2_000, output_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0 };
  using run = openTalk({ said: [{ ...asks(["list", { path: "" }]), usage: counted }, submit], estimate: () => 1_000 });
  await run.turns();
  const asked = run.facts.flatMap((fact) => (fact.type === "turn.started" ? [fact.data.ask?.input_tokens] : []));
  expect(asked).toEqual([1_000, 2_000]);
});
