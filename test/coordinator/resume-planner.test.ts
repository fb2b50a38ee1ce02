import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf } from "../support/bench-job.ts";
import {
  model,
  openThinkingBench,
  ownOf,
  recordRun,
  resume,
  type ThinkingBench,
  type Undisturbed,
} from "../support/thinking-job.ts";

const planOf = (writes: string) => ({
  name: "plan",
  input: { summary: "one part", tasks: [{ id: "one", title: "First", goal: "write it", writes: [writes] }] },
});
/** It reads, is told that its plan cannot be carried out, and corrects it. */
const planning = [[{ name: "read", input: { file_path: "src/a.txt" } }], [planOf("../x")], [planOf("src/")]];
const working = [
  [{ name: "write", input: { file_path: "src/new.txt", content: "new\n" } }],
  [{ name: "submit", input: { summary: "done" } }],
];

describe("a planner whose process is gone", () => {
  let thinking: ThinkingBench;
  let before: Undisturbed;
  beforeAll(async () => {
    thinking = await openThinkingBench(({ first }) => (first.includes("write it") ? working : planning));
    before = await recordRun(
      thinking.bench,
      { "src/a.txt": "a\n" },
      {
        prompt: "the goal",
        split: { by: "planner" },
        planner: { name: "planner", instructions: "Plan.", model },
        worker: { name: "worker", instructions: "Work.", model },
      },
    );
    expect(before.result.outcome).toBe("succeeded");
  }, 60_000);
  afterAll(() => thinking[Symbol.asyncDispose]());

  const places = [
    { what: "while it planned", at: () => lastOf("turn.started") },
    { what: "after its plan was taken", at: () => lastOf("tool.intended") },
    { what: "when it was through, and its plan in no log but its own", at: () => before.own.length },
  ];
  const askedOfPlanner = (since: number) =>
    thinking.server.logged.slice(since).filter(({ first }) => !first.includes("write it")).length;
  const lastOf = (type: string) => before.own.findLast((event) => event.type === type)?.seq ?? before.own.length - 1;

  it.each(places)("is not paid twice for what it had answered: killed $what", async ({ at }) => {
    await before.recorded.cutAt(at());
    const { bench, server } = thinking;
    const answers = ownOf(await eventsOf(bench, before.id), before.run).filter(({ type }) => type === "turn.finished");
    const since = server.logged.length;
    const { result, events } = await resume(bench, before.id);
    expect(result).toMatchObject({ outcome: "succeeded", result_tree: before.result.result_tree });
    expect(result.plan).toMatchObject({ plan: { tasks: [{ id: "one" }] } });
    expect(askedOfPlanner(since)).toBe(planning.length - answers.length);
    const began = events.flatMap((event) => (event.type === "run.started" ? [event.run_id] : []));
    const ended = events.flatMap((event) => (event.type === "run.finished" ? [event.run_id] : []));
    expect(began.filter((id) => id === before.run)).toHaveLength(1);
    expect(began).toHaveLength(2);
    expect(ended.toSorted()).toEqual(began.toSorted());
  });
});
