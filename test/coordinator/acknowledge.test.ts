import { expect, it } from "vitest";
import { type AcknowledgeView, acknowledge } from "../../src/coordinator/acknowledge.ts";
import { CallBook } from "../../src/coordinator/calls/call-book.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { Fact, FactData, ThreadFact } from "../../src/protocol/event.ts";
import { noUsage } from "../../src/protocol/message.ts";
import { toolNames } from "../../src/tools/catalog.ts";

function viewOf(...allow: string[]) {
  const job = { allow: allow.map((text) => parseRule(text)), deny: [] };
  const scope = taskScope({ writes: [{ directories: ["one"] }], job, tools: toolNames });
  const log: Fact[] = [];
  const view: AcknowledgeView = {
    scope,
    root: "/nowhere",
    isCaseInsensitive: false,
    behind: async () => ({ kind: "missing" }),
    book: new CallBook(),
    append: async (facts) => void log.push(...facts),
    ask: () => Promise.reject(new Error("nobody is here")),
  };
  return { view, log };
}

const answer = (...calls: [id: string, command: string][]): ThreadFact => ({
  type: "turn.finished",
  data: {
    turn: 1,
    answer: calls.map(([id, command]) => ({ type: "tool_use", id, name: "bash", input: { command } })),
    usage: noUsage,
    stop: "tool_use",
  },
});
const finished = (call_id: string, is_error: boolean): ThreadFact => ({
  type: "tool.finished",
  data: { call_id, tool: "bash", is_error, content: "exit 0" },
});

it("a command is run once, as it was allowed, and a denied one is not", async () => {
  const { view, log } = viewOf("Bash(npm test)");
  const { decisions } = await acknowledge([answer(["a", "npm test"], ["b", "npm publish"])], "span", view);
  expect(decisions).toMatchObject({ a: { effect: "allow", rule: "Bash(npm test)" }, b: { effect: "deny" } });
  expect(log.map(({ type }) => type)).toEqual(["turn.finished", "tool.intended", "tool.denied"]);
  expect(view.book.take("a")).toMatchObject({ text: "npm test", timeoutMs: 120_000, spanId: "span" });
  for (const id of ["a", "b", "c"]) expect(() => view.book.take(id)).toThrow(/has yet to run/);
});

it("an id that names two calls allows neither, in one answer or in two", async () => {
  const { view } = viewOf("Bash(npm test)");
  const twice = await acknowledge([answer(["a", "npm test"], ["a", "rm -rf ."])], undefined, view);
  expect(twice.decisions.a).toMatchObject({ effect: "deny", rule: "call id" });
  expect(() => view.book.take("a")).toThrow();
  await acknowledge([answer(["b", "npm test"])], undefined, view);
  const again = await acknowledge([answer(["b", "npm test"])], undefined, view);
  expect(again.decisions.b).toMatchObject({ effect: "deny", rule: "call id" });
});

it("an id that names two calls denies every tool, so that no answer to one of them is taken for the other's", async () => {
  const call = (id: string, name: string, file_path: string) => {
    return { type: "tool_use" as const, id, name, input: { file_path, content: "a" } };
  };
  const reported = (...calls: ReturnType<typeof call>[]): ThreadFact => ({
    type: "turn.finished",
    data: { turn: 1, answer: calls, usage: noUsage, stop: "tool_use" },
  });
  const { view, log } = viewOf("Bash");
  const { decisions, denials } = await acknowledge(
    [reported(call("x", "read", "secret"), call("x", "write", "one/a"), call("y", "write", "one/b"))],
    undefined,
    view,
  );
  expect(decisions).toMatchObject({ x: { effect: "deny", rule: "call id" }, y: { effect: "allow" } });
  expect(denials).toHaveLength(2);
  expect(log.map(({ type }) => type)).toEqual(["turn.finished", "tool.denied", "tool.denied", "tool.intended"]);
  const apart = await acknowledge([reported(call("z", "write", "one/a")), reported(call("z", "read", "k"))], "", view);
  expect(apart.decisions.z).toMatchObject({ effect: "deny", rule: "call id" });
  await acknowledge([answer(["c", "true"])], undefined, view);
  const later = await acknowledge([reported(call("c", "read", "one/a"))], undefined, view);
  expect(later.decisions.c).toMatchObject({ effect: "deny", rule: "call id" });
});

it("no thread reports on a command, but that its input was none", async () => {
  const { view, log } = viewOf("Bash");
  await acknowledge([answer(["a", "true"])], undefined, view);
  await expect(acknowledge([finished("a", false)], undefined, view)).rejects.toThrow(/which the coordinator runs/);
  await expect(acknowledge([finished("a", true)], undefined, view)).rejects.toThrow(/which the coordinator runs/);
  await expect(acknowledge([finished("made-up", false)], undefined, view)).rejects.toThrow(/coordinator runs/);
  expect(log.map(({ type }) => type)).toEqual(["turn.finished", "tool.intended"]);
  await acknowledge([finished("malformed", true)], undefined, view);
  expect(log.at(-1)?.type).toBe("tool.finished");
});

it("a call whose id is a word of the language is decided as any other", async () => {
  const { view } = viewOf("Bash(npm test)");
  const { decisions } = await acknowledge([answer(["__proto__", "npm test"], ["toString", "rm x"])], undefined, view);
  expect(Object.entries(decisions).map(([id, { effect }]) => [id, effect])).toEqual([
    ["__proto__", "allow"],
    ["toString", "deny"],
  ]);
});

it("nothing is decided of what will not run: calls of a refusal, and those behind a submit", async () => {
  const { view, log } = viewOf("Bash(npm test)");
  const refused = answer(["a", "npm test"]);
  await acknowledge(
    [{ type: "turn.finished", data: { ...(refused.data as FactData<"turn.finished">), stop: "refusal" } }],
    undefined,
    view,
  );
  const behind = answer(["b", "npm test"], ["d", "npm test"]);
  const submit = { type: "tool_use" as const, id: "c", name: "submit", input: { summary: "done" } };
  const data = behind.data as FactData<"turn.finished">;
  const [first, last] = data.answer;
  if (!first || !last) throw new Error("two calls were made");
  const said = { type: "turn.finished" as const, data: { ...data, answer: [first, submit, last] } };
  const { decisions } = await acknowledge([said], undefined, view);
  expect(Object.keys(decisions)).not.toContain("d");
  expect(log.map(({ type }) => type)).toEqual(["turn.finished", "turn.finished", "tool.intended", "tool.intended"]);
  const mistaken = { ...submit, id: "e", input: { summary: 5 } };
  const again = { type: "turn.finished" as const, data: { ...data, answer: [mistaken, { ...last, id: "f" }] } };
  expect((await acknowledge([again], undefined, view)).decisions).toMatchObject({ f: { effect: "allow" } });
});
