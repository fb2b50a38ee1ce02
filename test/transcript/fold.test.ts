import fc from "fast-check";
import { expect, test } from "vitest";
import { createFold, fold } from "../../src/transcript/fold.ts";
import { defaultPolicy } from "../../src/transcript/shorten.ts";
import { factsOf, type Logged, objection, startOf, type Turn, turn } from "./conversation.ts";

const opening = { brief: "what all are told", prompt: "do it" };

function whole(log: readonly Logged[]) {
  const seen = new Map<string, string>();
  for (const { fact, seen: text } of log)
    if (fact.type === "tool.finished" && text !== undefined && !seen.has(fact.data.call_id))
      seen.set(fact.data.call_id, text);
  const contentOf = (id: string) => seen.get(id);
  return fold(
    log.map(({ fact }) => fact),
    { brief: opening.brief, policy: defaultPolicy, contentOf },
  );
}

test("facts that come one by one give the request that the whole log gives, whatever is left out on the way", () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 9 }), (turns) => {
      const live = createFold(opening, defaultPolicy);
      const log: Logged[] = [];
      for (const [index, each] of turns.entries()) {
        for (let count = 0; count < each.shortenings; count++) live.shorten();
        const request = live.request();
        log.push(startOf(index + 1, request.manifest));
        expect(whole(log)).toEqual(request);
        const facts = factsOf(each, index + 1);
        log.push(...facts);
        for (const { fact, seen } of facts) live.add(fact, seen);
      }
      if (turns.length > 0) expect(whole(log)).toEqual(live.request());
    }),
    { numRuns: 60 },
  );
});

test("every request is one that an endpoint takes: roles alternate, each call has its result, nothing is empty", () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 9 }), (turns) => {
      const live = createFold(opening, defaultPolicy);
      for (const [index, each] of turns.entries()) {
        for (const { fact, seen } of factsOf(each, index + 1)) {
          live.add(fact, seen);
          expect(objection(live.request().messages)).toBeUndefined();
        }
        for (let count = 0; count < each.shortenings; count++) live.shorten();
        expect(objection(live.request().messages)).toBeUndefined();
      }
    }),
    { numRuns: 60 },
  );
});

test("a request can be shortened until nothing is left to shorten, and keeps its opening, its newest turn and every word from outside", () => {
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 9 }), (turns) => {
      const live = createFold(opening, defaultPolicy);
      const told: string[] = [];
      for (const [index, each] of turns.entries()) {
        told.push(...each.notes.flatMap(({ kind, text }) => (kind === "steer" && text.trim() !== "" ? [text] : [])));
        for (const { fact, seen } of factsOf(each, index + 1)) live.add(fact, seen);
      }
      const last = live.request().messages.at(-2);
      const size = () => JSON.stringify(live.request().messages).length;
      let rounds = 0;
      for (let before = size(); live.shorten(); before = size()) {
        rounds += 1;
        expect(rounds).toBeLessThan(60);
        expect(size()).toBeLessThan(before + 400);
      }
      const { messages, manifest } = live.request();
      expect(messages[0]?.content.slice(0, 2)).toEqual([
        { type: "text", text: opening.brief },
        { type: "text", text: opening.prompt },
      ]);
      expect(messages.at(-2)).toBe(last);
      const texts = messages.flatMap(({ content }) =>
        content.flatMap((block) => (block.type === "text" ? [block.text] : [])),
      );
      for (const text of told) expect(texts).toContain(text);
      expect(messages.length).toBe(1 + 2 * (turns.length - (manifest.dropped_turns ?? 0)));
    }),
    { numRuns: 60 },
  );
});

test("messages that nothing was added to stay the same objects, so that what was counted once is not counted again", () => {
  const live = createFold(opening, defaultPolicy);
  const [first, second] = [factsOf(reading("a"), 1), factsOf(reading("b"), 2)];
  for (const { fact, seen } of first) live.add(fact, seen);
  const before = live.request().messages;
  for (const { fact, seen } of second) live.add(fact, seen);
  const after = live.request().messages;
  expect(after.length).toBe(5);
  for (const [index, message] of before.entries()) expect(after[index]).toBe(message);
});

test("a result that is left out is one line that names its call, and the manifest names it", () => {
  const live = createFold(opening, defaultPolicy);
  for (let index = 1; index <= 12; index++)
    for (const { fact, seen } of factsOf(reading("x".repeat(5_000)), index)) live.add(fact, seen);
  expect(live.shorten()).toBe(true);
  const { messages, manifest } = live.request();
  expect(manifest).toMatchObject({ pointed: [1, 2, 3, 4, 5, 6, 7].map((turn) => `call_${turn}_0`), dropped: [] });
  expect(messages[2]?.content[0]).toMatchObject({
    tool_use_id: "call_1_0",
    content: "[left out to make room: the result of read src/a.ts; ask for it again, in smaller parts, if you need it]",
  });
  expect(messages[16]?.content[0]).toMatchObject({ content: "x".repeat(5_000) });
});

test("what was said between two turns stands behind the results, in its order", () => {
  const live = createFold(opening, defaultPolicy);
  for (const { fact, seen } of factsOf(reading("text"), 1)) live.add(fact, seen);
  live.add({ type: "run.notified", data: { kind: "turns", text: "2 turns are left" } });
  live.add({ type: "run.notified", data: { kind: "steer", text: "use tabs" } });
  expect(
    live
      .request()
      .messages.at(-1)
      ?.content.map((block) => ("text" in block ? block.text : block.type)),
  ).toEqual(["tool_result", "2 turns are left", "use tabs"]);
});

function reading(content: string): Turn {
  const call: Turn["calls"][number] = {
    name: "read",
    input: { file_path: "src/a.ts" },
    isRepeated: false,
    result: "pointed",
    content,
  };
  return { text: "I read.", thinks: false, calls: [call], hasOrphan: false, notes: [], shortenings: 0 };
}
