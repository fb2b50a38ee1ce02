import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Leases } from "../../src/coordinator/tasks/leases.ts";
import { runInOrder } from "../../src/coordinator/tasks/schedule.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import { compilePattern } from "../../src/permission/pattern.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { subjectOf } from "../../src/permission/subject.ts";
import { jobId, taskId } from "../../src/protocol/ids.ts";
import type { PathPattern, Rule } from "../../src/protocol/scope.ts";
import type { Task } from "../../src/protocol/task.ts";
import { attribute } from "../../src/telemetry/semconv.ts";
import { runJobOn } from "../support/bench-job.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const paths = ["a/x", "a/y", "A/X", "b/x", "b/y.ts", "top.ts"];
const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
  fc.constantFrom("a/**", "b/*.ts", "*.ts", "a/x", "/top.ts").map((glob) => ({ glob })),
  fc.subarray(paths, { maxLength: 2 }).map((files) => ({ files })),
  fc.constantFrom("a", "b", "c").map((directory) => ({ directories: [directory] })),
);
const writesOf = fc.array(fc.array(pattern, { maxLength: 2 }), { minLength: 1, maxLength: 6 });
const widening = fc.constantFrom<string[]>([], [], ["Edit(top.ts)"], ["Bash"], ["Edit(A/**)", "Read"]);

function taskWith(writes: PathPattern[], ordinal: number): Task {
  const id = taskId.parse(`task-${ordinal}`);
  return { id, ordinal, title: id, item: {}, needs: [], files: [], writes, steps: [] };
}

const covers = ({ writes }: Task, rules: readonly Rule[], path: string) =>
  [...writes, ...rules.flatMap((rule) => (rule.tool === "Edit" ? [rule.paths] : []))].some((any) =>
    compilePattern(any, true).covers(subjectOf(path, { isCaseInsensitive: true })),
  );

it("never lets two tasks run at the same time that could write the same path, and lets all of them run", async () => {
  await fc.assert(
    fc.asyncProperty(writesOf, widening, fc.infiniteStream(fc.nat()), async (writes, texts, picks) => {
      const tasks = writes.map(taskWith);
      const allow = texts.map((text) => parseRule(text));
      const leases = new Leases({ permissions: { allow, deny: [] } });
      const underWay = new Map<Task, () => void>();
      let begun = 0;
      const running = runInOrder(tasks, {
        width: 4,
        mayBegin: (task) => leases.isFree(task),
        async run(task) {
          leases.take(task);
          begun += 1;
          for (const other of underWay.keys()) {
            const both = paths.filter((path) => covers(task, allow, path) && covers(other, allow, path));
            expect(both).toEqual([]);
          }
          await new Promise<void>((end) => underWay.set(task, end));
          underWay.delete(task);
          leases.release(task);
        },
      });
      while (underWay.size > 0) {
        const all = [...underWay.values()];
        all[(picks.next().value ?? 0) % all.length]?.();
        await new Promise(setImmediate);
      }
      expect(await running).toEqual({});
      expect(begun).toBe(tasks.length);
    }),
    { numRuns: 100 },
  );
});

it("makes tasks of a job wait for each other where a rule lets all of them write one file, and shows it", async () => {
  const tasks = ["one", "two", "three"].map((id) => writingTask(id));
  const { result, events } = await runJobOn(
    bench,
    { "shared.md": "s\n" },
    {
      tasks,
      permissions: { allow: [parseRule("Edit(shared.md)")], deny: [] },
    },
  );
  expect(result.outcome).toBe("succeeded");
  const order = events.flatMap(({ type }) => (type === "task.started" || type === "task.finished" ? [type] : []));
  expect(order).toEqual(tasks.flatMap(() => ["task.started", "task.finished"]));
  const spans = await readTrace(jobId.parse(result.job.id), bench.equipment.database);
  const reasons = spans.flatMap(({ attributes }) => attributes[attribute.waitReason] ?? []);
  expect(reasons.sort()).toEqual(["lease", "lease", "slot"]);
});
