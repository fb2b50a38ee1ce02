import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTrace } from "../../src/db/read-trace.ts";
import type { Fact } from "../../src/protocol/event.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import type { Result } from "../../src/protocol/result.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeEach(async () => {
  const worker = new URL("../support/sabotage.ts", import.meta.url);
  bench = await openTestBench({ threads: 1, heapMb: 64, stallMs: 600, worker });
});
afterEach(() => bench[Symbol.asyncDispose]());

async function run(tasks: NamedTask[]): Promise<{ result: Result; facts: Fact[] }> {
  const { repository, spec } = await bench.repository({ "README.md": "base\n" });
  const facts: Fact[] = [];
  const onFact = (_: string, fact: Fact) => void facts.push(fact);
  const job = { ...spec, tasks, limits: { ...spec.limits, concurrency: 8 } };
  const { done } = await bench.coordinator.submit({ spec: job, repository, onFact });
  return { result: await done, facts };
}

describe.each(["exit", "memory", "loop"])("a thread that dies by %s", (how) => {
  it("is replaced; its other runs are done alone, and only the run that dies alone is charged", async () => {
    const siblings = ["one", "two", "three"].map((id) => writingTask(id));
    const { result } = await run([...siblings, writingTask("poison", { prompt: `die: ${how}` })]);
    const tasks = Object.fromEntries(result.tasks.map((task) => [task.id, task]));
    for (const id of ["one", "two", "three"]) expect(tasks[id]).toMatchObject({ state: "succeeded", attempts: 2 });
    // Once in company, then twice alone, and no more.
    expect(tasks.poison).toMatchObject({
      state: "failed",
      attempts: 3,
      landed: false,
      reason: { code: "thread_died" },
    });
    expect([result.outcome, result.exit_code]).toEqual(["partial", 10]);
    expect(result.tasks.filter((task) => task.landed)).toHaveLength(3);

    // The trace has no open end: what the dead thread left was closed as an error.
    const { database } = bench.equipment;
    const spans = await readTrace(result.job.id as never, database);
    expect(spans.filter((span) => span.dur_ns === null)).toEqual([]);
    const ids = new Set(spans.map((span) => span.span_id));
    expect(spans.filter((span) => !span.parent_span_id || !ids.has(span.parent_span_id))).toHaveLength(1);
  });
});

describe("a cancel", () => {
  it("that comes again and again ends no thread whose run has let go", async () => {
    const { coordinator, equipment } = bench;
    const { repository, spec } = await bench.repository({ "README.md": "base\n" });
    const limits = { ...spec.limits, idle_ms: 1 };
    const { done } = await coordinator.submit({ spec: { ...spec, limits, tasks: [writingTask("idle")] }, repository });
    expect(await done).toMatchObject({ outcome: "limit" });
    const ids = () =>
      equipment
        .pool()
        .pool.threads()
        .map(({ threadId }) => threadId);
    const before = ids();
    // As long as a run may take to let go.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(ids()).toEqual(before);
  });

  it("reaches a run through its port and leaves its siblings in the same thread alone", async () => {
    const { coordinator } = bench;
    const start = async (tasks: NamedTask[]) => {
      const { repository, spec } = await bench.repository({ "README.md": "base\n" });
      return coordinator.submit({ spec: { ...spec, tasks }, repository });
    };
    const kept = await start([writingTask("kept")]);
    const stopped = await start([writingTask("stopped")]);
    await coordinator.cancel(stopped.id, { signal: "SIGTERM" });
    expect(await stopped.done).toMatchObject({ outcome: "cancelled", exit_code: 143 });
    expect(await kept.done).toMatchObject({ outcome: "succeeded", tasks: [{ attempts: 1, landed: true }] });
  });
});
