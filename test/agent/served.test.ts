import fc from "fast-check";
import { expect, test } from "vitest";
import type { ThreadFact } from "../../src/protocol/event.ts";
import type { Reply } from "../support/messages/reply.ts";
import { totalOf } from "../support/messages/tally.ts";
import { openMessagesServer } from "../support/messages-server.ts";
import { servedModel } from "../support/served-model.ts";
import { openTalk } from "./talk.ts";

/** What a model may come up with. */
const call = fc.oneof(
  fc.record({
    name: fc.constant("read"),
    input: fc.record({ file_path: fc.constantFrom("src/a.ts", "gone.ts", "secret/x") }),
  }),
  fc.record({
    name: fc.constant("write"),
    input: fc.record({ file_path: fc.constantFrom("src/b.ts", "docs/x.md"), content: fc.string() }),
  }),
  fc.record({
    name: fc.constantFrom("list", "teleport", "read"),
    input: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
  }),
);
const spoken: fc.Arbitrary<Reply> = fc.record(
  {
    say: fc.constantFrom("", "I look.", "x".repeat(50_000)),
    thinking: fc.constantFrom("hm"),
    calls: fc.array(call, { maxLength: 3 }),
    stop: fc.constantFrom("pause_turn", "end_turn", "tool_use"),
  },
  { requiredKeys: [] },
);
const failing: fc.Arbitrary<Reply> = fc.constantFrom<Reply>(
  { status: 429, headers: { "retry-after": "1" } },
  { status: 529 },
  { status: 500 },
  { status: 500, isDropped: true },
  { say: "I was", break: { after: 3, how: "disconnect" } },
  { say: "I was", break: { after: 2, how: "overloaded_error" } },
);

test("whatever a model comes up with and however its endpoint fails, no request is one that an endpoint refuses, and usage is what it counted", async () => {
  let replies: Reply[] = [];
  await using server = await openMessagesServer({
    behave: () => replies.shift() ?? { calls: [{ name: "submit", input: { summary: "done" } }] },
  });
  const model = await servedModel(server.url, { api_key: server.key });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof({ weight: 3, arbitrary: spoken }, failing), { maxLength: 10 }), async (all) => {
      replies = [...all];
      const from = server.logged.length;
      using run = openTalk({ model, files: { "src/a.ts": "a\n" }, brief: "All of us rename x to y." });
      const end = await run.turns();
      expect(end.kind === "ended" ? end.failure.code : "done").toMatch(
        /^(done|empty_answers|malformed_calls|max_tokens)$/,
      );
      const logged = server.logged.slice(from);
      expect(logged.filter(({ status }) => status === 400)).toEqual([]);
      const { requests: _, refused: _refused, broken: _broken, ...counted } = totalOf(logged);
      expect(run.talk.usage).toMatchObject(counted);
      expect(asksOf(run.facts).length).toBe(logged.length);
    }),
    { numRuns: 25 },
  );
});

test("from the second turn on nearly all of a conversation is read from the cache", async () => {
  await using server = await openMessagesServer({
    behave: ({ turn }) =>
      turn > 12
        ? { calls: [{ name: "submit", input: { summary: "done" } }] }
        : { calls: [{ name: "read", input: { file_path: "src/a.ts", view_range: [1, turn] } }] },
  });
  using run = openTalk({
    model: await servedModel(server.url, { api_key: server.key }),
    files: { "src/a.ts": "a line\n".repeat(100) },
    brief: "What all of us are told. ".repeat(400),
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  const { input_tokens, cache_read_tokens, cache_write_tokens } = server.total();
  expect(cache_read_tokens / (input_tokens + cache_read_tokens + cache_write_tokens)).toBeGreaterThan(0.88);
  const estimates = asksOf(run.facts);
  for (const [index, { usage }] of server.logged.entries()) {
    const all = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    expect(estimates[index]?.input_tokens).toBeGreaterThanOrEqual(all);
  }
});

function asksOf(facts: readonly ThreadFact[]) {
  return facts.flatMap((fact) =>
    fact.type === "turn.started" || fact.type === "turn.retried" ? (fact.data.ask ?? []) : [],
  );
}
