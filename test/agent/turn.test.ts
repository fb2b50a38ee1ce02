import { expect, test, vi } from "vitest";
import { Stopped } from "../../src/agent/line.ts";
import { ModelFailed } from "../../src/model/model.ts";
import type { FactData, FactType } from "../../src/protocol/event.ts";
import { fold } from "../../src/transcript/fold.ts";
import { defaultPolicy } from "../../src/transcript/shorten.ts";
import { objection } from "../transcript/conversation.ts";
import { asks, openTalk, says, type Talk } from "./talk.ts";

const submit = asks(["submit", { summary: "done" }]);

function dataOf<T extends FactType>({ facts }: Talk, type: T): FactData<T>[] {
  return facts.flatMap((fact) => (fact.type === type ? [fact.data as FactData<T>] : []));
}

function notices(run: Talk): string[] {
  return dataOf(run, "run.notified").map(({ kind, text }) => `${kind}: ${text}`);
}

/** Texts of the last message of a request. */
function told({ requests }: Talk, request: number): string[] {
  const content = requests[request]?.messages.at(-1)?.content ?? [];
  return content.flatMap((block) => (block.type === "text" ? [block.text] : []));
}

test("a turn makes two appends: results with the next intent, then the answer", async () => {
  using run = openTalk({
    files: { "src/a.ts": "a\n", "src/b.ts": "b\n" },
    said: [
      asks(["read", { file_path: "src/a.ts" }], ["read", { file_path: "src/b.ts" }]),
      asks(["write", { file_path: "src/c.ts", content: "c\n" }]),
      submit,
    ],
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(run.appends.map((facts) => facts.map(({ type }) => type))).toEqual([
    ["turn.started"],
    ["turn.finished"],
    ["tool.finished", "tool.finished", "turn.started"],
    ["turn.finished"],
    ["tool.finished", "turn.started"],
    ["turn.finished"],
  ]);
  expect(run.text("src/c.ts")).toBe("c\n");
  for (const { messages } of run.requests) expect(objection(messages)).toBeUndefined();
});

test("the intent says what the call may take, what is in it, and with the first turn what it begins with", async () => {
  using run = openTalk({ said: [submit], brief: "All of us rename x to y." });
  await run.turns();
  const [started] = dataOf(run, "turn.started");
  expect(started?.ask?.max_tokens).toBe(8_192);
  expect(started?.ask?.input_tokens).toBeGreaterThan(100);
  expect(started?.manifest).toMatchObject({ messages: 1, pointed: [], dropped: [] });
  expect(started?.opening?.prompt).toBe("Task one\n\nDo it.");
  expect(started?.opening?.prefix_sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(run.requests[0]?.messages).toEqual([
    {
      role: "user",
      content: [
        { type: "text", text: "All of us rename x to y." },
        { type: "text", text: "Task one\n\nDo it." },
      ],
    },
  ]);
});

test("tools, system text and brief are the same bytes in every request, and the cache ends behind the brief and behind all", async () => {
  using run = openTalk({
    files: { "src/a.ts": "a\n" },
    said: [asks(["read", { file_path: "src/a.ts" }]), asks(["list", { path: "src" }]), submit],
    brief: "All of us rename x to y.",
  });
  await run.turns();
  const fronts = run.requests.map(({ system, tools, messages }) => JSON.stringify([system, tools, messages[0]]));
  expect(new Set(fronts).size).toBe(1);
  expect(fronts[0]).not.toContain(run.root);
  expect(run.requests.map(({ breakpoints }) => breakpoints)).toEqual([
    [
      { message: 0, block: 0 },
      { message: 0, block: 1 },
    ],
    [
      { message: 0, block: 0 },
      { message: 2, block: 0 },
    ],
    [
      { message: 0, block: 0 },
      { message: 4, block: 0 },
    ],
  ]);
});

test("what an earlier step left alone stands in the prompt, by place and reason, and no more than can be read", async () => {
  const leftovers = Array.from({ length: 250 }, (_, index) => ({
    path: "src/a.ts",
    line: index + 1,
    column: 1,
    text: "var\nx",
    reason: "shadowed\nbelow",
  }));
  using run = openTalk({ said: [submit], leftovers });
  await run.turns();
  const [prompt] = told(run, 0);
  expect(prompt).toContain('- src/a.ts:1:1 "var\\nx": shadowed below\n');
  expect(prompt).toContain("- and 50 more");
  expect(prompt?.split("\n").length).toBe(206);
});

test("the whole log gives the request that was sent", async () => {
  using run = openTalk({
    files: { "src/a.ts": "a\n" },
    said: [
      asks(["read", { file_path: "src/a.ts" }], ["write", { file_path: "docs/x", content: "x" }]),
      says("", "end_turn"),
      submit,
    ],
  });
  await run.turns(3);
  const page = run.requests[1]?.messages[2]?.content[0];
  const contentOf = () => (page?.type === "tool_result" ? page.content : undefined);
  const last = run.facts.findLastIndex(({ type }) => type === "turn.started");
  const folded = fold(run.facts.slice(0, last + 1), { brief: "", policy: defaultPolicy, contentOf });
  expect(folded.messages).toEqual(run.requests[2]?.messages);
});

test("a busy or broken endpoint is asked again for as long as the coordinator says so, each attempt an intent of its own", async () => {
  using run = openTalk({
    said: [
      new ModelFailed("busy", "429 too many", { status: 429, retryAfterMs: 2_000 }),
      new ModelFailed("lost", "the stream broke off", { isBilled: true }),
      submit,
    ],
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  const ask = dataOf(run, "turn.started")[0]?.ask;
  expect(dataOf(run, "turn.retried")).toEqual([
    { turn: 1, attempt: 2, reason: "429 too many", status: 429, retry_after_ms: 2_000, is_billed: false, ask },
    { turn: 1, attempt: 3, reason: "the stream broke off", is_billed: true, ask },
  ]);
  const chats = run.spans.filter(({ name }) => name === "chat test-model");
  expect(chats.length).toBe(1);
  expect(chats[0]?.events.map(({ attributes }) => attributes)).toMatchObject([
    { "sheaf.retry.attempt": 2, "http.response.status_code": 429, "error.type": "busy" },
    { "sheaf.retry.attempt": 3, "error.type": "lost" },
  ]);
  expect(run.talk.turns).toBe(1);
});

test("a stop that answers the intent of another attempt ends the run, with its reason", async () => {
  using run = openTalk({
    said: [new ModelFailed("busy", "529 overloaded", { status: 529 })],
    acknowledge(_, count) {
      if (count === 50) throw new Stopped({ code: "time", message: "its time is over" });
      return undefined;
    },
  });
  expect(await run.turns()).toEqual({
    kind: "ended",
    isStopped: true,
    failure: { code: "time", message: "its time is over" },
  });
  expect(dataOf(run, "turn.retried").length).toBe(49);
});

test.for([
  ["credentials", "credentials"],
  ["refused", "model_refused"],
] as const)("what no further attempt would mend ends the run with a remedy: %s", async ([kind, code]) => {
  using run = openTalk({ said: [new ModelFailed(kind, "401 no")] });
  expect(await run.turns()).toMatchObject({ kind: "ended", isStopped: false, failure: { code, message: "401 no" } });
  expect(run.requests.length).toBe(1);
  expect(run.spans.at(-1)).toMatchObject({ status: "error", attributes: { "error.type": code } });
});

test("a refusal ends the run with what the model said, and none of its calls run", async () => {
  const refusing = asks(["write", { file_path: "src/x.ts", content: "x" }]);
  const content = [{ type: "text" as const, text: "I will not do that." }, ...refusing.content];
  using run = openTalk({ said: [{ ...refusing, content, stop: "refusal" }] });
  expect(await run.turns()).toMatchObject({
    kind: "ended",
    failure: { code: "refused", message: "the model refused to go on: I will not do that." },
  });
  expect(() => run.text("src/x.ts")).toThrow();
});

test("an end without submit is taken, its last words are the summary", async () => {
  using run = openTalk({ said: [says("All is renamed.")] });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(run.talk.submission).toEqual({ summary: "All is renamed." });
});

test("an empty answer is told so, twice; the third in a row ends the run", async () => {
  using run = openTalk({ said: [says(""), says(" \n"), says("", "tool_use")] });
  expect(await run.turns()).toMatchObject({ kind: "ended", failure: { code: "empty_answers" } });
  expect(notices(run).length).toBe(2);
  expect(told(run, 1)).toEqual(["Your last answer was empty. Go on with the task; if it is done, call submit."]);
  for (const { messages } of run.requests) expect(objection(messages)).toBeUndefined();
});

test("an agent that finds its words again after an empty answer goes on as if nothing was", async () => {
  const read = () => asks(["list", { path: "" }]);
  using run = openTalk({ said: [says(""), says(""), read(), says(""), says(""), submit] });
  expect(await run.turns()).toEqual({ kind: "done" });
});

test("a script that has no more to say is through", async () => {
  using run = openTalk({ said: [says("", "tool_use"), says("")], provider: "scripted", card: null });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(notices(run)).toEqual([]);
  expect(dataOf(run, "turn.started")[0]).not.toHaveProperty("ask");
});

test("a call that was cut off is not run, and the agent is told how to make it in parts", async () => {
  const cut = {
    type: "tool_use" as const,
    id: "cut",
    name: "write",
    input: {},
    malformed: '{"file_path":"src/x.ts","con',
  };
  const whole = asks(["write", { file_path: "src/y.ts", content: "y" }]);
  using run = openTalk({ said: [{ ...whole, content: [...whole.content, cut], stop: "max_tokens" }, submit] });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(run.text("src/y.ts")).toBe("y");
  expect(() => run.text("src/x.ts")).toThrow();
  const results = dataOf(run, "tool.finished").map(({ is_error, content }) => [is_error, content.slice(0, 23)]);
  expect(results[1]).toEqual([true, "invalid input for write"]);
  expect(told(run, 1)[0]).toContain("cut off in the middle of a call");
});

test("answers that are only ever cut off end the run", async () => {
  const cut = { type: "tool_use" as const, id: "cut", name: "write", input: {}, malformed: "{" };
  const answer = { ...submit, content: [cut], stop: "max_tokens" as const };
  using run = openTalk({ said: [answer, says("a long text", "max_tokens"), answer] });
  expect(await run.turns()).toMatchObject({ kind: "ended", failure: { code: "malformed_calls" } });
  expect(run.requests.length).toBe(3);
});

test("a paused turn goes on", async () => {
  using run = openTalk({ said: [says("thinking about it", "pause_turn"), submit] });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(told(run, 1)).toEqual(["Go on."]);
});

test("what is said from outside stands in the very next request, behind the results, in its order", async () => {
  using run = openTalk({
    said: [asks(["list", { path: "" }]), asks(["list", { path: "src" }]), submit],
    acknowledge: (_, count) => ({ notices: [[], ["one"], ["two", "three"], [], []][count - 1] ?? [] }),
  });
  await run.turns();
  expect(run.requests[1]?.messages.at(-1)?.content.map((block) => ("text" in block ? block.text : block.type))).toEqual(
    ["tool_result", "one", "two", "three"],
  );
  expect(run.requests[1]?.breakpoints.at(-1)).toEqual({ message: 2, block: 3 });
  expect(told(run, 2)).toEqual([]);
});

test("two turns before the last the agent is told; who has few turns anyway is not", async () => {
  let page = 0;
  const read = () => asks(["list", { path: `folder-${++page}` }]);
  using run = openTalk({ said: [read(), read(), read(), read(), read(), read()], maxTurns: 6 });
  await run.turns(6);
  expect(notices(run)).toEqual([
    "turns: Only 2 turns are left, this one included. Finish what you can, then call submit.",
  ]);
  expect(told(run, 4).length).toBe(1);
  using short = openTalk({ said: [read(), read(), read()], maxTurns: 3 });
  await short.turns(3);
  expect(notices(short)).toEqual([]);
});

test("usage, cost and what the endpoint said of itself are in the fact and on the span of the call, and not on the run's", async () => {
  const price = { input: 3_000, output: 15_000, cache_read: 300, cache_write_5m: 3_750, cache_write_1h: 6_000 };
  const usage = { input_tokens: 10, output_tokens: 20, cache_read_tokens: 100, cache_write_tokens: 5 };
  using run = openTalk({ said: [{ ...submit, usage, model: "test-model-2", requestId: "req_1" }], card: { price } });
  await run.turns();
  const cost = 10 * 3_000 + 20 * 15_000 + 100 * 300 + 5 * 3_750;
  expect(dataOf(run, "turn.finished")[0]).toMatchObject({
    usage,
    cost_nano_usd: cost,
    model: "test-model-2",
    request_id: "req_1",
  });
  const [chat] = run.spans;
  expect(chat?.attributes).toMatchObject({
    "gen_ai.provider.name": "anthropic",
    "gen_ai.usage.input_tokens": 115,
    "gen_ai.usage.cache_read.input_tokens": 100,
    "gen_ai.response.model": "test-model-2",
    "gen_ai.request.max_tokens": 8_192,
    "sheaf.cost_nano_usd": cost,
  });
  expect(chat?.attributes["gen_ai.response.time_to_first_chunk"]).toBeGreaterThanOrEqual(0);
  expect(run.talk.usage).toEqual(usage);
  expect(run.signs).toEqual([{ at: "began", turn: 1 }]);
});

test("a model without a price has an unknown cost, and says so", async () => {
  using run = openTalk({ said: [submit] });
  await run.turns();
  expect(dataOf(run, "turn.finished")[0]?.cost_nano_usd).toBeNull();
});

test("a long answer is told to go on about once a second, however many pieces it comes in", async () => {
  const now = vi.spyOn(performance, "now");
  let ms = 0;
  now.mockImplementation(() => ms);
  using run = openTalk({
    async said(_, __, hearing) {
      for (let piece = 0; piece < 1_000; piece++) {
        ms += 10;
        hearing.heard?.();
      }
      return submit;
    },
  });
  await run.turns();
  now.mockRestore();
  expect(run.signs.length).toBeGreaterThanOrEqual(9);
  expect(run.signs.length).toBeLessThanOrEqual(11);
});
