import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NamedTask } from "../../src/protocol/job.ts";
import { planSplit } from "../../src/split/plan-split.ts";
import { filesOf, jobOf, promptStep, viewOf, writersOf } from "./view.ts";

const files = ["before/x.js", "lib/a.js", "lib/b.js", "test/a.js"];
const view = viewOf(files);

describe("steps before and after all parts", () => {
  const around = { before: [promptStep("first")], after: [promptStep("last")] };

  it("are tasks of their own, ordered with everything, which may edit everything", () => {
    const { tasks } = planSplit(jobOf({ by: "directory" }, around), view);
    expect(tasks.map((task) => [task.id, task.needs, task.ordinal])).toEqual([
      ["before", [], 0],
      ["before-2", ["before"], 1],
      ["lib", ["before"], 2],
      ["test", ["before"], 3],
      ["after", ["before", "before-2", "lib", "test"], 4],
    ]);
    expect(writersOf("new/file", tasks, view)).toEqual(["before", "after"]);
  });

  it("may edit only what they say they write", () => {
    const writes = [{ glob: "/package.json" }];
    const { tasks } = planSplit(jobOf({ by: "files" }, { before: [promptStep("x", { writes })] }), view);
    expect(tasks[0]?.writes).toEqual(writes);
    const mixed = planSplit(jobOf({ by: "files" }, { before: [promptStep("x", { writes }), promptStep()] }), view);
    expect(mixed.tasks[0]?.writes).toEqual([{ directories: [""] }]);
  });

  it("do not take the name of a task that is written", () => {
    const tasks = [{ id: "Before", writes: [{ glob: "lib" }], steps: [promptStep()] }];
    const job = jobOf({ by: "none" }, { ...around, each: [], tasks });
    expect(() => planSplit(job, view)).toThrow(/has the name of the steps around/);
  });
});

describe("named tasks", () => {
  const task = (id: string, glob: string, needs: string[] = []): NamedTask => ({
    id,
    needs,
    writes: [{ glob }],
    steps: [promptStep()],
  });
  const plan = (tasks: NamedTask[]) => planSplit(jobOf({ by: "none" }, { each: [], tasks }), view).tasks;

  it("come after what they need, otherwise as they are written", () => {
    const tasks = plan([task("c", "lib/b.js", ["b"]), task("a", "test/**"), task("b", "lib/a.js")]);
    expect(tasks.map((one) => [one.id, one.ordinal, one.needs])).toEqual([
      ["b", 0, []],
      ["c", 1, ["b"]],
      ["a", 2, []],
    ]);
  });

  it("may share what they write only where one needs the other, however far", () => {
    const shared = [task("a", "lib/**"), task("b", "test/**", ["a"]), task("c", "/lib/a.js", ["b"])];
    expect(plan(shared)).toHaveLength(3);
    expect(() => plan([task("a", "lib/**"), task("c", "/lib/a.js")])).toThrow(
      /"lib\/a.js" may be edited by both a and c/,
    );
    expect(() => plan([task("a", "new/x.js"), task("b", "new/")])).toThrow(/"new\/x.js" may be edited by both a and b/);
    expect(() => plan([task("a", "lib/a.js", ["b"]), task("b", "lib/b.js", ["a"])])).toThrow(/in turn/);
    expect(() => plan([task("a", "lib/a.js", ["x"])])).toThrow(/no task of this job/);
  });

  it("may all write everything where each needs the one before it", () => {
    const chain = Array.from({ length: 200 }, (_, at) => task(`t${at}`, "**", at > 0 ? [`t${at - 1}`] : []));
    expect(plan(chain)).toHaveLength(200);
    expect(() => plan([...chain, task("x", "lib/a.js", ["t198"])])).toThrow(/both t199 and x/);
  });

  it("follow a chain of any length", () => {
    const count = 5_000;
    const chain = Array.from({ length: count }, (_, at) =>
      task(`t${at}`, `x/${at}`, at < count - 1 ? [`t${at + 1}`] : []),
    );
    expect(plan(chain)[0]?.id).toBe(`t${count - 1}`);
  });
});

describe("a part of a job", () => {
  const many = viewOf(Array.from({ length: 100 }, (_, index) => `src/${String(index).padStart(2, "0")}.js`));

  it("is evenly spread, and nothing but parts of the whole", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 120 }), (size, sample) => {
        const all = planSplit(jobOf({ by: "files", files: size }), many).tasks.map((task): string => task.id);
        const some = planSplit(jobOf({ by: "files", files: size }, { sample }), many).tasks.map(
          (task): string => task.id,
        );
        expect(some).toHaveLength(Math.min(sample, all.length));
        expect(all.filter((id) => some.includes(id))).toEqual(some);
        const gaps = some.map((id, at) => all.indexOf(id) - (at === 0 ? 0 : all.indexOf(some[at - 1] ?? "")));
        expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(all.length / some.length) + 1);
      }),
    );
  });

  it("has the tasks that its tasks need", () => {
    const tasks = ["a", "b", "c", "d"].map((id, at, ids) => ({
      id,
      needs: ids.slice(Math.max(0, at - 1), at),
      writes: [{ glob: `x/${id}` }],
      steps: [promptStep()],
    }));
    const { tasks: some } = planSplit(jobOf({ by: "none" }, { each: [], tasks, sample: 1 }), view);
    expect(some.map((task) => task.id)).toEqual(["a", "b", "c"]);
  });

  it("looks at and edits only what `only` covers", () => {
    const only = { glob: "lib/**" };
    const whole = planSplit(jobOf({ by: "none" }, { only, before: [promptStep()] }), view).tasks;
    expect(filesOf(whole)).toEqual({ before: ["lib/a.js", "lib/b.js"], all: ["lib/a.js", "lib/b.js"] });
    expect(writersOf("lib/new/x.js", whole, view)).toEqual(["before", "all"]);
    expect(writersOf("test/a.js", whole, view)).toEqual([]);
    const cut = planSplit(jobOf({ by: "directory" }, { only: { glob: "**/a.js" } }), view).tasks;
    expect(filesOf(cut)).toEqual({ lib: ["lib/a.js"], test: ["test/a.js"] });
    expect(writersOf("lib/b.js", cut, view)).toEqual([]);
    const listed = planSplit(jobOf({ by: "list", items: ["lib", "test/*.js"] }, { only }), view).tasks;
    expect(listed.map((task) => task.id)).toEqual(["lib"]);
  });

  it("leaves out named tasks with nothing left, and joins their neighbours", () => {
    const tasks = [
      { id: "a", writes: [{ glob: "lib/a.js" }], steps: [promptStep()] },
      { id: "b", needs: ["a"], writes: [{ glob: "test/**" }], steps: [promptStep()] },
      { id: "c", needs: ["b"], writes: [{ glob: "lib/new.js" }], steps: [promptStep()] },
    ];
    const made = planSplit(jobOf({ by: "none" }, { each: [], tasks, only: { glob: "lib/**" } }), view).tasks;
    expect(made.map((task) => [task.id, task.needs])).toEqual([
      ["a", []],
      ["c", ["a"]],
    ]);
  });
});

describe("split by findings", () => {
  const finding = (path: string, line: number) => ({ path, line, message: "m" });
  const found = viewOf(files, {
    findings: [
      finding("lib/b.js", 2),
      finding("test/a.js", 1),
      finding("lib/b.js", 1),
      finding("gone.js", 1),
      finding(".npmrc", 3),
    ],
    unsplit: [{ path: ".npmrc", reason: "protected" }],
  });

  it("makes tasks of the files in which something was found, with it, and tells what nobody can have", () => {
    const each = [promptStep(`\${{ task.findings }}`)];
    const { tasks, unsplit } = planSplit(jobOf({ by: "findings", of: "lint", files: 1 }, { each }), found);
    expect(filesOf(tasks)).toEqual({ "part-1": ["lib/b.js"], "part-2": ["test/a.js"] });
    expect(tasks[0]?.findings).toEqual([finding("lib/b.js", 2), finding("lib/b.js", 1)]);
    expect(tasks[0]?.steps).toMatchObject([{ prompt: "lib/b.js:2: m\nlib/b.js:1: m" }]);
    expect(tasks[1]?.item).toEqual({ path: "test/a.js", name: "a.js" });
    expect(unsplit).toEqual([
      { path: ".npmrc", reason: "protected" },
      { path: "gone.js", reason: "1 finding of lint: it is no file of the base that a task may have" },
      { path: ".npmrc", reason: "1 finding of lint: protected" },
    ]);
    const most = { by: "findings", of: "lint", files: 1, tasks: 1 } as const;
    expect(() => planSplit(jobOf(most), found)).toThrow(/make 2 tasks, more than tasks: 1/);
  });
});
