import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { retakeJob } from "../../src/coordinator/retry.ts";
import { readJobEvents } from "../../src/db/read-events.ts";
import type { JobId } from "../../src/protocol/ids.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** A task whose command fails until somebody makes that folder. */
function failingTask(id: string, folder: string): NamedTask {
  const run = `test -d ${folder} && mkdir -p ${id} && echo done > ${id}/out.txt`;
  return {
    id,
    writes: [{ directories: [id] }],
    steps: [{ kind: "command", run, may_fail: false, timeout_ms: 20_000 }],
  };
}

async function startedIn(id: JobId): Promise<string[]> {
  const events = await readJobEvents(id, 0, bench.equipment.database);
  return events
    .flatMap(({ event }) => (event.type === "task.started" ? [event.data.task_id as string] : []))
    .toSorted();
}

async function firstJob(tasks: readonly NamedTask[]) {
  const { repository, spec } = await bench.repository({ "README.md": `${tasks.map(({ id }) => id).join()}\n` });
  const submitted = await bench.coordinator.submit({ spec: { ...spec, tasks: [...tasks], fresh: true }, repository });
  return { spec, id: submitted.id, handle: submitted.handle, result: await submitted.done };
}

describe("a job that is done again", () => {
  it("reuses what succeeded and does the rest, from the same base, as a new job", async () => {
    const first = await firstJob([writingTask("one"), failingTask("two", "/nowhere")]);
    expect(first.result).toMatchObject({ outcome: "partial" });
    const again = await bench.coordinator.retry(first.id, {});
    const result = await again.done;
    expect(again.id).not.toBe(first.id);
    expect(result.base_commit).toBe(first.result.base_commit);
    expect(result.tasks.map(({ id, state, reused }) => [id, state, reused])).toEqual([
      ["one", "succeeded", true],
      ["two", "failed", false],
    ]);
    expect(await startedIn(again.id)).toEqual(["two"]);
  }, 60_000);

  it("does the tasks that are named again too, or all of them", async () => {
    const first = await firstJob([writingTask("three"), writingTask("four")]);
    expect(first.result).toMatchObject({ outcome: "succeeded" });
    const named = await bench.coordinator.retry(first.id, { tasks: ["three"] });
    expect((await named.done).result_tree).toBe(first.result.result_tree);
    expect(await startedIn(named.id)).toEqual(["three"]);
    // What was said of the first is not said of the next: all of it is reused.
    const plain = await bench.coordinator.retry(named.id, {});
    expect((await plain.done).result_tree).toBe(first.result.result_tree);
    expect(await startedIn(plain.id)).toEqual([]);
    const fresh = await bench.coordinator.retry(first.id, { fresh: true });
    await fresh.done;
    expect(await startedIn(fresh.id)).toEqual(["four", "three"]);
  }, 60_000);

  it("is refused while it is not over, for a task it does not have, and to callers who may not name its repository", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "x\n" });
    const task = failingTask("long", "/nowhere");
    const [step] = task.steps;
    if (step?.kind !== "command") throw new Error("no command");
    const tasks = [{ ...task, steps: [{ ...step, run: "sleep 60" }] }];
    const running = await bench.coordinator.submit({ spec: { ...spec, tasks }, repository });
    await expect(bench.coordinator.retry(running.id, {})).rejects.toMatchObject({ code: "conflict" });
    await bench.coordinator.cancel(running.id);
    await running.done;
    await expect(bench.coordinator.retry(running.id, { tasks: ["nope"] })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining('no task "nope"'),
    });
    const roots = [join(bench.folder, "elsewhere")];
    mkdirSync(roots[0] ?? "");
    const rules = { isTrusted: false, roots, isAllowedUrl: () => false };
    await expect(retakeJob(running.id, {}, { rules, ...bench.equipment })).rejects.toMatchObject({
      code: "not_allowed",
    });
  }, 60_000);

  it("hands the writing of its patch to whoever asked from another process", async () => {
    const { repository, spec } = await bench.repository({ "README.md": "patch\n" });
    const publish = { kind: "patch" as const, file: join(bench.folder, "mine.patch") };
    const first = await bench.coordinator.submit({ spec: { ...spec, publish, tasks: [writingTask("p")] }, repository });
    await first.done;
    const rules = { isTrusted: true, roots: [], isAllowedUrl: () => false };
    const order = await retakeJob(first.id, {}, { rules, ...bench.equipment });
    expect(order.spec.publish).toEqual({ kind: "patch" });
    await order.repository.close();
  }, 60_000);
});
