import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator } from "../../src/coordinator/coordinator.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import { canonicalJson } from "../../src/protocol/canonical-json.ts";
import type { Event, Fact } from "../../src/protocol/event.ts";
import { type JobId, taskId } from "../../src/protocol/ids.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

async function eventsOf(id: JobId): Promise<Event[]> {
  const page = await readJobEvents(id, 0, bench.equipment.database);
  return page.map(({ event }) => event);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A task of two turns that takes its time over the second. */
function slowTask(id: string): NamedTask {
  const task = writingTask(id);
  const [step] = task.steps;
  if (step?.kind !== "agent" || step.agent.model.provider !== "scripted") throw new Error("no script");
  const turns = step.agent.model.turns.map((turn, index) => (index === 1 ? { ...turn, wait: 8_000 } : turn));
  const agent = { ...step.agent, model: { ...step.agent.model, turns } };
  return { ...task, steps: [{ ...step, agent }] };
}

describe("a job whose process is gone", () => {
  it("goes on with what had not ended, does nothing twice, and comes to the same tree", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const afterSlow = { ...writingTask("last"), needs: [taskId.parse("slow")] };
    const wanted = {
      ...spec,
      tasks: [writingTask("one"), writingTask("two"), slowTask("slow"), afterSlow],
    };
    const first = await bench.coordinator.submit({ spec: wanted, repository });
    first.done.catch(() => {});
    const ended = async () => (await eventsOf(first.id)).filter(({ type }) => type === "task.finished").length;
    await until(async () => (await ended()) === 2);

    // Somebody else takes the job, as after a death; its first owner does not know.
    const heir = createCoordinator({ ...bench.equipment, node: "heir" });
    const [taken] = await heir.takeUp();
    expect(taken).toMatchObject({ done: 2, planned: 4 });
    const result = await taken?.started.done;
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    expect(result?.tasks.map(({ id, state, attempts, landed }) => [id, state, attempts, landed])).toEqual([
      ["one", "succeeded", 1, true],
      ["two", "succeeded", 1, true],
      ["slow", "succeeded", 2, true],
      ["last", "succeeded", 1, true],
    ]);
    await expect(first.done).rejects.toMatchObject({ code: "fenced" });

    const events = await eventsOf(first.id);
    const started = events.flatMap((event) => (event.type === "task.started" ? [event.data.task_id] : []));
    expect(started.toSorted()).toEqual(["last", "one", "slow", "slow", "two"]);
    for (const own of Map.groupBy(events, ({ run_id }) => run_id).values()) {
      expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));
    }
    expect(events.filter(({ type }) => type === "job.finished")).toHaveLength(1);
    const roots = (await readTrace(first.id, bench.equipment.database)).filter((span) => !span.parent_span_id);
    expect(roots).toMatchObject([{ dur_ns: expect.stringMatching(/^\d+$/) }]);

    await heir.idle();
    const again = await bench.repository({ "README.md": "x\n" });
    const undisturbed = await bench.coordinator.submit({
      spec: { ...again.spec, tasks: wanted.tasks },
      repository: again.repository,
    });
    expect((await undisturbed.done).result_tree).toBe(result?.result_tree);
    await heir[Symbol.asyncDispose]();
  }, 60_000);

  it("is joined by whoever asks for the same job again, who hears of it from its beginning, each fact once", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const wanted = { ...spec, tasks: [writingTask("one"), slowTask("slow")] };
    const first = await bench.coordinator.submit({ spec: wanted, repository });
    first.done.catch(() => {});
    await until(async () => (await eventsOf(first.id)).some(({ type }) => type === "task.finished"));
    const heir = createCoordinator({ ...bench.equipment, node: "second heir" });
    expect(await heir.takeUp()).toHaveLength(1);
    const heard: string[] = [];
    const again = await openRepository(repository.user.top, { home: bench.equipment.home, git: bench.equipment.git });
    const onFact = (run: string, fact: Fact) => void heard.push(`${run} ${fact.type} ${canonicalJson(fact.data)}`);
    const joined = await heir.submit({ spec: wanted, repository: again, onFact });
    expect(joined).toMatchObject({ id: first.id, isNew: false, isTakenUp: true });
    expect(await joined.done).toMatchObject({ outcome: "succeeded" });
    await expect(first.done).rejects.toMatchObject({ code: "fenced" });
    const stored = (await eventsOf(first.id)).filter(({ type }) => type !== "job.finished");
    expect(heard).toEqual(stored.map((event) => `${event.run_id} ${event.type} ${canonicalJson(event.data)}`));
    await heir[Symbol.asyncDispose]();
  }, 60_000);
});
