import fc from "fast-check";
import type { Fact } from "../../src/protocol/event.ts";
import { type AnswerBlock, type Message, noUsage } from "../../src/protocol/message.ts";
import type { Manifest } from "../../src/protocol/run-fact.ts";

/** What may happen in one turn, odd models, crashes and interruptions included. */
const text = fc.oneof(fc.constantFrom("", " \n", "done"), fc.string({ maxLength: 20 }));
const long = fc.integer({ min: 0, max: 6_000 }).map((length) => "r".repeat(length));

const call = fc.record({
  name: fc.constantFrom("read", "write", "bash", "no such tool", "tool/with.dots", ""),
  input: fc.oneof(
    fc.constantFrom<unknown>({ file_path: "src/a.ts" }, { command: "npm test\n--all" }, "no object", null, [1]),
    fc.record({ pattern: fc.string() }),
  ),
  isRepeated: fc.boolean(),
  result: fc.constantFrom("finished", "pointed", "artifact", "failed", "denied", "none", "twice"),
  content: long,
});

export const turn = fc.record({
  text,
  thinks: fc.boolean(),
  calls: fc.array(call, { maxLength: 4 }),
  hasOrphan: fc.boolean(),
  notes: fc.array(fc.record({ kind: fc.constantFrom("steer", "budget", "loop", "turns", "answer"), text }), {
    maxLength: 2,
  }),
  shortenings: fc.integer({ min: 0, max: 2 }),
});
export type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

export interface Logged {
  fact: Fact;
  /** What the model saw, where the log says less. */
  seen?: string;
}

/** The facts of a turn's answer and of what came of it, in their order in the log. */
export function factsOf({ text: said, thinks, calls, hasOrphan, notes }: Turn, ordinal: number): Logged[] {
  const ids = calls.map(({ isRepeated }, index) => `call_${ordinal}_${isRepeated ? 0 : index}`);
  const uses = calls.map(
    ({ name, input }, index): AnswerBlock => ({ type: "tool_use", id: ids[index] ?? "", name, input }),
  );
  const thought: AnswerBlock[] = thinks ? [{ type: "thinking", thinking: "hm", signature: "s" }] : [];
  const answer = [...thought, { type: "text" as const, text: said }, ...uses];
  return [
    { fact: { type: "turn.finished", data: { turn: ordinal, answer, usage: noUsage, stop: "tool_use" } } },
    ...calls.flatMap((made, index) => resultsOf(made, ids[index] ?? "")),
    ...(hasOrphan ? resultsOf({ result: "finished", content: "of nobody" }, "call_nobody") : []),
    ...notes.map((data): Logged => ({ fact: { type: "run.notified", data } })),
  ];
}

function resultsOf({ result, content }: Pick<Turn["calls"][number], "result" | "content">, id: string): Logged[] {
  const data = { call_id: id, tool: "read", is_error: result === "failed", content };
  const pointer = { path: result === "artifact" ? "artifact:abc" : "src/a.ts", sha256: "abc", bytes: content.length };
  switch (result) {
    case "none":
      return [];
    case "denied": {
      const denial = { call_id: id, tool: "read", input: "x", rule: "Edit(x)", source: "job", reason: "no" };
      return [{ fact: { type: "tool.denied", data: denial } }];
    }
    case "pointed":
    case "artifact":
      return [{ fact: { type: "tool.finished", data: { ...data, content: "in short", pointer } }, seen: content }];
    case "twice":
      return [{ fact: { type: "tool.finished", data } }, { fact: { type: "tool.finished", data } }];
    default:
      return [{ fact: { type: "tool.finished", data } }];
  }
}

export function startOf(turn: number, manifest: Omit<Manifest, "input_tokens">): Logged {
  const opening = { system_sha256: "", tools_sha256: "", brief_sha256: "", prefix_sha256: "", prompt: "do it" };
  return {
    fact: {
      type: "turn.started",
      data: { turn, model: "m", manifest: { ...manifest, input_tokens: 1 }, ...(turn === 1 ? { opening } : {}) },
    },
  };
}

/** Why an endpoint would refuse these messages; undefined when it would not. */
export function objection(messages: readonly Message[]): string | undefined {
  if (messages.at(-1)?.role !== "user") return "the last word is not the user's";
  return messages.map((message, index) => objectionTo(message, index, messages[index - 1])).find(Boolean);
}

function objectionTo({ role, content }: Message, index: number, before: Message | undefined): string | undefined {
  if (role !== (index % 2 === 0 ? "user" : "assistant")) return `message ${index} is of ${role}`;
  if (content.length === 0) return `message ${index} is empty`;
  if (content.some((block) => block.type === "text" && block.text.trim() === "")) return `message ${index} is blank`;
  if (role === "assistant") return undefined;
  const given = content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
  if (given.join() !== callsOf(before).join()) return `message ${index} answers ${given}, not ${callsOf(before)}`;
  const lastResult = content.findLastIndex(({ type }) => type === "tool_result");
  return lastResult >= given.length ? `message ${index} has a result behind a text` : undefined;
}

function callsOf(message: Message | undefined): string[] {
  const blocks = message?.role === "assistant" ? message.content : [];
  return blocks.flatMap((block) => {
    if (block.type !== "tool_use") return [];
    const isSound =
      /^[\w-]{1,128}$/.test(block.name) && Object.prototype.toString.call(block.input) === "[object Object]";
    return [isSound ? block.id : `${block.id} is unsound`];
  });
}
