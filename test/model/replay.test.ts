import { expect, test } from "vitest";
import type { ModelRequest } from "../../src/model/model.ts";
import { replayModel } from "../../src/model/replay.ts";
import type { Event, Fact, ThreadFact } from "../../src/protocol/event.ts";
import { taskId } from "../../src/protocol/ids.ts";
import { noUsage } from "../../src/protocol/message.ts";
import { recording } from "../../src/protocol/recording.ts";
import { createRecorder } from "../../src/transcript/record.ts";

const opening = {
  system_sha256: "s",
  tools_sha256: "t",
  brief_sha256: "b",
  prefix_sha256: "p",
  prompt: "Mend part 1.",
};
const usage = { ...noUsage, input_tokens: 70, output_tokens: 7 };
const call = (id: string, name: string) => ({ type: "tool_use" as const, id, name, input: {} });
const answers = [
  [call("c1", "read"), call("c2", "bash"), call("c3", "edit")],
  [{ type: "text" as const, text: "Done." }],
];
const finished = (
  call_id: string,
  tool: string,
  content: string,
): Extract<Fact, { type: "tool.finished" }>["data"] => ({
  ...{ call_id, tool, is_error: false, content },
});
const pointer = { path: "a.ts", sha256: "f".repeat(64), bytes: 9, view_range: [1, 3] as [number, number] };
const denied = {
  call_id: "c3",
  tool: "edit",
  input: "b.ts",
  rule: "Edit(a.ts)",
  source: "task",
  reason: "it is not yours",
};
const told = "Denied: it is not yours (rule Edit(a.ts), task)";

const log: Fact[] = [
  {
    type: "run.started",
    data: { task_id: taskId.parse("one"), step: 0, attempt: 1, agent: "a", base_tree: "", scope_sha256: "" },
  },
  { type: "turn.started", data: { turn: 1, model: "claude", opening } },
  { type: "turn.finished", data: { turn: 1, answer: answers[0] ?? [], usage, stop: "tool_use" } },
  { type: "tool.denied", data: denied },
  { type: "tool.finished", data: { ...finished("c1", "read", "read lines 1-3"), pointer } },
  { type: "tool.finished", data: finished("c2", "bash", "exit 0") },
  { type: "turn.started", data: { turn: 2, model: "claude" } },
  { type: "turn.finished", data: { turn: 2, answer: answers[1] ?? [], usage, stop: "end_turn" } },
  { type: "run.finished", data: { state: "succeeded", turns: 2, usage } },
];

function recorded(facts: readonly Fact[] = log) {
  const recorder = createRecorder();
  const place = { id: "e", at: 0 };
  for (const [seq, fact] of facts.entries()) recorder.add({ ...fact, ...place, seq, run_id: "r" } as Event);
  return recording.parse(JSON.parse(JSON.stringify(recorder.recording())));
}

const model = (facts?: readonly Fact[]) => replayModel("replay/job-1", recorded(facts).runs);
const hearing = { signal: new AbortController().signal };
const request = (news: ThreadFact[], contents: Record<string, string> = {}): ModelRequest => ({
  ...{ system: "", tools: [], breakpoints: [], maxTokens: 0, news },
  messages: [
    {
      role: "user",
      content: Object.entries(contents).map(([tool_use_id, content]) => ({
        ...{ type: "tool_result" as const, tool_use_id, content },
        ...(content.startsWith("Denied") ? { is_error: true } : {}),
      })),
    },
  ],
});
const first = (more: object = {}) =>
  request([{ type: "turn.started", data: { turn: 1, model: "replay/job-1", opening: { ...opening, ...more } } }]);
const second = (contents: Record<string, string> = {}, sha256 = pointer.sha256) =>
  request(
    [
      { type: "tool.finished", data: { ...finished("c1", "read", "read lines 1-3"), pointer: { ...pointer, sha256 } } },
      { type: "turn.started", data: { turn: 2, model: "replay/job-1" } },
    ],
    { c1: "     1\tshown", c2: "exit 0", c3: told, ...contents },
  );

test("asked the same, a recording gives the same answers with the tokens of then", async () => {
  const replay = model();
  expect(await replay.answer(first(), hearing)).toMatchObject({ content: answers[0], stop: "tool_use", usage });
  expect(await replay.answer(second(), hearing)).toMatchObject({
    content: answers[1],
    stop: "end_turn",
    model: "claude",
  });
  expect(replay.card).toBeUndefined();
});

test("the first thing that is another is named, with its turn and both texts", async () => {
  const asked = async (...requests: ModelRequest[]) => {
    const replay = model();
    for (const one of requests) await replay.answer(one, hearing);
  };
  await expect(asked(first({ system_sha256: "x" }))).rejects.toThrow(/turn 1: its instructions are others/);
  await expect(asked(first({ tools_sha256: "x" }))).rejects.toThrow(/turn 1: its tools are others/);
  await expect(asked(first({ brief_sha256: "x" }))).rejects.toThrow(/turn 1: the job's brief is another/);
  await expect(asked(first({ prompt: "Mend part 2." }))).rejects.toThrow(
    /turn 1: the task's prompt is another: from character 11 on it was "Mend part 1\." and is "Mend part 2\."/,
  );
  await expect(asked(first(), second({ c2: "exit 1" }))).rejects.toThrow(
    /turn 2: the result of bash \(c2\) is another: from character 6 on it was "exit 0" and is "exit 1"/,
  );
  await expect(asked(first(), second({}, "0".repeat(64)))).rejects.toThrow(
    /turn 2: the result of read \(c1\) shows another a\.ts \(sha256 of the file f{12} recorded, 0{12} now\)/,
  );
  await expect(asked(first(), second({ c3: "1 replacement" }))).rejects.toThrow(
    /the result of edit \(c3\) is no error now/,
  );
  const third = request([{ type: "turn.started", data: { turn: 3, model: "replay/job-1" } }]);
  await expect(asked(first(), second(), third)).rejects.toMatchObject({
    code: "replay",
    message: expect.stringContaining("turn 3: the recorded run had 2 turns"),
  });
});

test("of several attempts the one that succeeded answers, and of several runs the one that was asked the same", async () => {
  const [, ...rest] = log;
  const failed = recorded([
    ...log.slice(0, 3),
    { type: "run.finished", data: { state: "failed", turns: 1, usage } },
  ]).runs;
  const other = recorded([
    log[0] as Fact,
    { type: "turn.started", data: { turn: 1, model: "claude", opening: { ...opening, prompt: "Another." } } },
    { type: "turn.finished", data: { turn: 1, answer: [{ type: "text", text: "Other." }], usage, stop: "end_turn" } },
  ]).runs;
  const good = recorded([log[0] as Fact, ...rest]).runs;
  const both = replayModel("replay/job-1", [...good, ...failed, ...other]);
  expect(await both.answer(first(), hearing)).toMatchObject({ content: answers[0] });
  expect(await both.answer(second(), hearing)).toMatchObject({ content: answers[1] });
  const another = replayModel("replay/job-1", [...good, ...failed, ...other]);
  expect(await another.answer(first({ prompt: "Another." }), hearing)).toMatchObject({ stop: "end_turn" });
});

test("a run that was never recorded, and a cancel, are said", async () => {
  await expect(replayModel("replay/x", []).answer(first(), hearing)).rejects.toThrow(/nothing was recorded of it/);
  const signal = AbortSignal.abort(new Error("stopped"));
  await expect(model().answer(first(), { signal })).rejects.toThrow("stopped");
});
