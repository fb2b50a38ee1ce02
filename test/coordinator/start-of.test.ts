import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FinishedTask } from "../../src/coordinator/result/finished-task.ts";
import { neverStarted } from "../../src/coordinator/result/never-started.ts";
import { runInOrder } from "../../src/coordinator/tasks/schedule.ts";
import { closureOf, createStarts, type Start, tipOf } from "../../src/coordinator/tasks/start-of.ts";
import { fold } from "../../src/merge/fold.ts";
import { taskId } from "../../src/protocol/ids.ts";
import type { Task } from "../../src/protocol/task.ts";
import { toRaw } from "../../src/workspace/raw-path.ts";
import { listTree, writeTree } from "../../src/workspace/tree.ts";
import { filesOf, type Ground, openGround, sketch } from "../merge/ground.ts";
import { emptySpec } from "../support/job.ts";
import { plant } from "../support/plant.ts";
import { graph } from "./graph.ts";

let ground: Ground;
let base: Start;
const lines = Array.from({ length: 12 }, (_, line) => `line ${line}`).join("\n");
beforeAll(async () => {
  ground = await openGround();
  const [planted] = await plant(ground.repository, [sketch({ a: lines, b: lines, c: lines })]);
  base = planted ?? base;
});
afterAll(() => ground[Symbol.asyncDispose]());

/** What a task does to the tree it is given: a line of a file, a new file, or nothing; or it fails. */
type Work = { kind: "line"; file: string; line: number } | { kind: "add" } | { kind: "nothing" } | { kind: "fail" };
const work: fc.Arbitrary<Work> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("line" as const),
      file: fc.constantFrom("a", "b", "c"),
      line: fc.nat({ max: 11 }),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Work>({ kind: "add" }, { kind: "nothing" }, { kind: "fail" }) },
);

function taskOf({ id, needs }: { id: string; needs: string[] }, ordinal: number): Task {
  const rest = { title: id, item: {}, files: [], writes: [], steps: [] };
  return { ...rest, id: taskId.parse(id), needs: needs.map((need) => taskId.parse(need)), ordinal };
}

async function doWork(task: Task, what: Work, start: Start): Promise<string> {
  const { repository } = ground;
  if (what.kind !== "line" && what.kind !== "add") return start.tree;
  const path = what.kind === "line" ? what.file : task.id;
  const entry = (await listTree(repository, start.tree)).find((one) => one.path === path);
  const rows = ((await repository.objects.read(entry?.oid ?? ""))?.toString() ?? "").split("\n");
  const text =
    what.kind === "add" ? task.id : rows.map((row, at) => (at === what.line ? `${row} ${task.id}` : row)).join("\n");
  const oid = await repository.writer.blob(Buffer.from(text));
  return writeTree(repository, start.tree, [{ path: toRaw(path), mode: "100644", oid }]);
}

/** All of them, with somebody else deciding who ends next; then the fold of what they made. */
async function runAll(tasks: readonly Task[], works: readonly Work[], pick: () => number) {
  const startOf = createStarts(ground.repository, base, tasks);
  const ended = new Map<string, FinishedTask>();
  const gates: (() => void)[] = [];
  const blank = { spec: { ...emptySpec("job"), base: { ...emptySpec("job").base, ...base } } };
  const running = runInOrder(tasks, {
    width: 4,
    async run(task) {
      const startable = await startOf(task, ended);
      const made = neverStarted(task, { state: "failed", failure: { code: "none", message: "" } }, blank);
      await new Promise<void>((open) => gates.push(open));
      if (startable.kind === "never") return void ended.set(task.id, { ...made, failure: startable.failure });
      const what = works[task.ordinal] ?? { kind: "nothing" };
      const { start } = startable;
      const tree = await doWork(task, what, start);
      const state = what.kind === "fail" ? "failed" : tree === start.tree ? "no_changes" : "succeeded";
      ended.set(task.id, { ...made, start, state, ...(tree === start.tree ? {} : { tree }) });
    },
  });
  let isOver = false;
  void running.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const [open] = gates.splice(pick() % Math.max(gates.length, 1), 1);
    open?.();
    await new Promise(setImmediate);
  }
  expect(await running).toEqual({});
  const known = new Map(tasks.map((task) => [task.id as string, task]));
  const tips = tasks.flatMap((task) => tipOf(ended.get(task.id), known));
  const folded = await fold(ground.repository, base, tips);
  return { ended, folded, known };
}

const told = ({ ended, folded }: Awaited<ReturnType<typeof runAll>>) => ({
  tree: folded.tree,
  out: folded.leftOut.map((left) => [left.taskId, left.reason, left.with]),
  tasks: [...ended.values()]
    .sort((a, b) => a.ordinal - b.ordinal)
    .map(({ id, state, start, tree, failure }) => [id, state, start.tree, tree, failure?.code, failure?.message]),
});

it("gives one tree, one start and one end to each task, whoever finished first", async () => {
  await fc.assert(
    fc.asyncProperty(
      graph,
      fc.array(work, { minLength: 9, maxLength: 9 }),
      fc.infiniteStream(fc.nat()),
      async (items, works, picks) => {
        const tasks = items.map(taskOf);
        const inOrder = await runAll(tasks, works, () => 0);
        const otherwise = await runAll(tasks, works, () => picks.next().value ?? 0);
        expect(told(otherwise)).toEqual(told(inOrder));
        for (const task of tasks) await expectWhole(task, inOrder);
      },
    ),
    { numRuns: 25 },
  );
});

/** What a task made is the fold of all it needs and itself; and no dependent of one that is out is in. */
async function expectWhole(task: Task, { ended, folded, known }: Awaited<ReturnType<typeof runAll>>): Promise<void> {
  const needs = closureOf(task, known);
  const own = ended.get(task.id);
  const isIn = folded.folded.includes(task.id);
  for (const need of needs) {
    if (ended.get(need.id)?.state === "failed") expect(own?.state).toBe("failed");
    if (isIn && ended.get(need.id)?.state === "succeeded") expect(folded.folded).toContain(need.id);
  }
  if (!own?.tree || own.state !== "succeeded") return;
  const tips = [...needs, task].flatMap((one) => tipOf(ended.get(one.id), known));
  expect((await fold(ground.repository, base, tips)).tree).toBe(own.tree);
}

it("starts from the fold of all needs and theirs, once for all tasks that share them", async () => {
  const tasks = [
    { id: "t0", needs: [] },
    { id: "t1", needs: ["t0"] },
    { id: "t2", needs: [] },
    { id: "t3", needs: ["t1"] },
  ].map(taskOf);
  const works: Work[] = [{ kind: "add" }, { kind: "line", file: "a", line: 3 }, { kind: "add" }, { kind: "nothing" }];
  const { ended } = await runAll(tasks, works, () => 0);
  const files = await filesOf(ground.repository, ended.get("t3")?.start.tree ?? "");
  expect(Object.keys(files).sort()).toEqual(["a", "b", "c", "t0"]);
  expect(files.a).toContain("line 3 t1");
});

it("gives no start to a task whose needs conflict with each other, and names them", async () => {
  const tasks = [
    { id: "t0", needs: [] },
    { id: "t1", needs: [] },
    { id: "t2", needs: ["t0", "t1"] },
    { id: "t3", needs: ["t2"] },
  ].map(taskOf);
  const line: Work = { kind: "line", file: "a", line: 3 };
  const { ended } = await runAll(tasks, [line, line, { kind: "add" }, { kind: "add" }], () => 0);
  expect(ended.get("t2")?.failure).toMatchObject({
    code: "needs",
    message: expect.stringMatching(/t1 conflicts with t0 in a/),
  });
  expect(ended.get("t3")?.failure).toMatchObject({ code: "needs", message: "it needs t2, which ended failed" });
});
