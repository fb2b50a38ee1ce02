import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern } from "../../src/permission/pattern.ts";
import { subjectOf } from "../../src/permission/subject.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Split } from "../../src/protocol/split.ts";
import type { Step } from "../../src/protocol/step.ts";
import { planSplit } from "../../src/split/plan-split.ts";
import type { SplitView } from "../../src/split/split-view.ts";
import { emptySpec } from "../support/job.ts";

const step: Step = {
  kind: "agent",
  agent: {
    name: "recipe/node-protocol",
    instructions: "",
    model: { provider: "recipe", recipe: { name: "node-protocol" } },
  },
  prompt: "",
};

function job(split: Split, tasks: JobSpec["tasks"] = []): JobSpec {
  return { ...emptySpec("job"), split, each: tasks.length > 0 ? [] : [step], tasks };
}

function view(files: readonly string[], more: Partial<SplitView> = {}): SplitView {
  const facts = { isCaseInsensitive: false };
  return {
    files,
    unsplit: [],
    threads: 2,
    covers: () => true,
    matches: (pattern, path) => compilePattern(pattern, false).covers(subjectOf(path, facts)),
    ...more,
  };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `src/${index % 40}/f${index}.js`).sort();

describe("split by files", () => {
  it("gives every file to exactly one task, whatever the maxima", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_000 }),
        fc.option(fc.integer({ min: 1, max: 700 }), { nil: undefined }),
        (count, files) => {
          const { tasks } = planSplit(job({ by: "files", ...(files ? { files } : {}) }), view(many(count)));
          expect(tasks.flatMap((task) => task.files)).toEqual(many(count));
          if (files) expect(Math.max(0, ...tasks.map((task) => task.files.length))).toBeLessThanOrEqual(files);
          expect(tasks.map((task) => task.ordinal)).toEqual(tasks.map((_, index) => index));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("sizes itself: a small repository in a few parts, 10,000 files in parts of at most 250", () => {
    expect(planSplit(job({ by: "files" }), view(many(148))).tasks).toHaveLength(6);
    const large = planSplit(job({ by: "files" }), view(many(10_000))).tasks;
    expect(Math.max(...large.map((task) => task.files.length))).toBeLessThanOrEqual(250);
    expect(large.length).toBeLessThanOrEqual(40);
  });

  it("fits a maximum of tasks by making them larger, and refuses when both maxima cannot hold", () => {
    expect(planSplit(job({ by: "files", tasks: 3 }), view(many(10_000))).tasks).toHaveLength(3);
    expect(() => planSplit(job({ by: "files", files: 10, tasks: 3 }), view(many(100)))).toThrow(
      /make 10 tasks, more than tasks: 3/,
    );
  });
});

describe("split by directory", () => {
  it("makes a task of each top directory and one of the files beside them", () => {
    const { tasks } = planSplit(job({ by: "directory" }), view(["a.js", "lib/x.js", "lib/y/z.js", "test/t.js"]));
    expect(tasks.map((task) => [task.id, task.files.length])).toEqual([
      ["root", 1],
      ["lib", 2],
      ["test", 1],
    ]);
    expect(tasks[0]?.writes).toEqual([{ files: ["a.js"] }]);
    expect(tasks[1]?.writes).toEqual([{ directories: ["lib"] }]);
  });

  it("refuses a directory larger than the maximum, with its count", () => {
    expect(() => planSplit(job({ by: "directory", files: 1 }), view(["lib/x.js", "lib/y.js"]))).toThrow(/lib has 2/);
  });

  it("gives directories whose names differ only in odd characters names of their own", () => {
    const { tasks } = planSplit(job({ by: "directory" }), view(["a b/x.js", "a?b/x.js", "ä/x.js", "ö/x.js"]));
    expect(new Set(tasks.map((task) => task.id)).size).toBe(4);
  });
});

describe("split by list", () => {
  const files = ["lib/a.js", "lib/b.js", "test/a.js"];

  it("takes files, directories and globs", () => {
    const { tasks } = planSplit(job({ by: "list", items: ["lib/", "test/*.js"] }), view(files));
    expect(tasks.map((task) => task.files)).toEqual([["lib/a.js", "lib/b.js"], ["test/a.js"]]);
  });

  it("refuses an item that names nothing, and two that name the same file", () => {
    const named = [{ id: "docs", items: [{ glob: "docz/**" }], writes: [{ glob: "/docs" }], steps: [step] }];
    expect(() => planSplit(job({ by: "none" }, named), view(files))).toThrow(/nothing .* matches the items of "docs"/);
    const only = { ...job({ by: "files" }), only: { glob: "libs/**" } };
    expect(() => planSplit(only, view(files))).toThrow(/only: nothing/);
    expect(() => planSplit(job({ by: "list", items: ["nope"] }), view(files))).toThrow(
      /nothing in the repository matches "nope"/,
    );
    expect(() => planSplit(job({ by: "list", items: ["lib", "lib/a.js"] }), view(files))).toThrow(
      /may be edited by both/,
    );
  });
});

describe("named tasks", () => {
  it("may write only disjoint sets", () => {
    const tasks = (second: string) => [
      { id: "one", writes: [{ glob: "lib/**" }], steps: [step] },
      { id: "two", writes: [{ glob: second }], steps: [step] },
    ];
    expect(planSplit(job({ by: "none" }, tasks("test/**")), view(["lib/a.js", "test/a.js"])).tasks).toHaveLength(2);
    expect(() => planSplit(job({ by: "none" }, tasks("lib/a.js")), view(["lib/a.js"]))).toThrow(/both one and two/);
  });
});
