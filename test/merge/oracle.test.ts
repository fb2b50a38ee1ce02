import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fold, type Tip } from "../../src/merge/fold.ts";
import { type Planted, type PlantedFile, plant } from "../support/plant.ts";
import { type Ground, named, openGround } from "./ground.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
  const { git } = ground.repository;
  await git(["init", "--quiet", join(ground.directory, "clone")], { cwd: ground.directory });
});
afterAll(() => ground[Symbol.asyncDispose]());

type Files = Map<string, PlantedFile>;

const universe = ["a", "b", "c", "d", "d/x", "d/y", "e/x", "e", "src/one", "src/two", "src/three/four"];
const path = fc.constantFrom(...universe);
const bit = fc.integer({ min: 0, max: 1 });

/** Lines name their file, so that no two files look alike and only a real move is seen as one. */
function linesOf(name: string): string[] {
  return Array.from({ length: 14 }, (_, line) => `${name} line ${line} ${name.repeat(3)}`);
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("edit" as const), path, line: fc.nat(13), variant: bit }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("move" as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("add" as const), path, variant: bit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("mode" as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("link" as const), path, variant: bit }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function put(files: Files, at: string, file: PlantedFile): void {
  for (const other of [...files.keys()]) {
    if (other.startsWith(`${at}/`) || at.startsWith(`${other}/`)) files.delete(other);
  }
  files.set(at, file);
}

function apply(files: Files, action: Step): void {
  const file = files.get(action.path);
  if (action.do === "add" && !file) {
    put(files, action.path, { content: `${linesOf(`new ${action.path} ${action.variant}`).join("\n")}\n` });
  }
  if (!file) return;
  const isFile = file.mode !== "120000";
  if (action.do === "remove") files.delete(action.path);
  if (action.do === "mode" && isFile) files.set(action.path, { ...file, mode: "100755" });
  if (action.do === "link") files.set(action.path, { mode: "120000", content: `${action.path}-${action.variant}` });
  if (action.do === "move" && !files.has(action.to)) {
    files.delete(action.path);
    put(files, action.to, file);
  }
  if (action.do === "edit" && isFile) {
    const lines = String(file.content).split("\n");
    lines[action.line] = `${action.path} edited ${action.line} ${action.variant}`;
    files.set(action.path, { ...file, content: lines.join("\n") });
  }
}

interface Scenario {
  trees: readonly Files[];
  /** For each tree, the tree it started from. */
  parents: readonly number[];
}

/** Each task starts from the base, or where `onFirst` says so from the first task's result. */
const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    base: fc.uniqueArray(path, { minLength: 4, maxLength: 9 }),
    first: fc.array(step, { minLength: 1, maxLength: 4 }),
    others: fc.array(
      fc.record({
        steps: fc.array(step, { minLength: 1, maxLength: 4 }),
        onFirst: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ base, first, others }) => {
    const files: Files = new Map();
    for (const at of base) put(files, at, { content: `${linesOf(at).join("\n")}\n` });
    const trees = [files, applied(files, first)];
    const parents = [0, 0];
    for (const { steps, onFirst } of others) {
      parents.push(onFirst ? 1 : 0);
      trees.push(applied(trees[onFirst ? 1 : 0] ?? files, steps));
    }
    return { trees, parents };
  });

function applied(files: Files, steps: readonly Step[]): Files {
  const result: Files = new Map(files);
  for (const action of steps) apply(result, action);
  return result;
}

async function tipsOf({ trees, parents }: Scenario): Promise<{ base: Planted; planted: Planted[]; tips: Tip[] }> {
  const all = await plant(ground.repository, trees, { parents });
  const [base = { commit: "", tree: "" }, ...planted] = all;
  const tips = planted.map(({ tree }, index) => {
    const start = all[parents[index + 1] ?? 0] ?? base;
    return { taskId: named(index + 1), ordinal: index, base: start.tree, tree };
  });
  return { base, planted, tips };
}

/** What a person gets who merges the branches one by one with git and gives up on each conflict. */
async function mergeOneByOne(base: Planted, tips: readonly Planted[]): Promise<{ tree: string; folded: string[] }> {
  const { git, gitDir } = ground.repository;
  const workTree = join(ground.directory, "clone");
  const clone = {
    gitDir: join(workTree, ".git"),
    workTree,
    cwd: workTree,
    env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: join(gitDir, "objects") },
  };
  await git(["checkout", "--quiet", "--force", "--detach", base.commit], clone);
  await git(["clean", "-ffdxq"], clone);
  const folded: string[] = [];
  for (const [index, tip] of tips.entries()) {
    const args = ["-c", "merge.directoryRenames=false", "merge", "--quiet", "--no-ff", "-m", "merge", tip.commit];
    const merged = await git(args, { ...clone, accept: [0, 1] });
    if (merged.code === 0) folded.push(named(index + 1));
    else await git(["reset", "--hard", "--quiet"], clone);
  }
  const tree = (await git(["rev-parse", "HEAD^{tree}"], clone)).stdout.toString().trim();
  return { tree, folded };
}

test("a fold is what merging one by one with git gives, and leaves out just what git cannot merge", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (drawn) => {
      const { base, planted, tips } = await tipsOf(drawn);
      const folded = await fold(ground.repository, base, tips);
      expect({ tree: folded.tree, folded: folded.folded }).toEqual(await mergeOneByOne(base, planted));
    }),
    { numRuns: 12 },
  );
}, 60_000);

test("the order in which tasks finished changes nothing: not the tree, not who is left out, not the report", async () => {
  const shuffled = scenario.chain((drawn) =>
    fc.tuple(
      fc.constant(drawn),
      fc.shuffledSubarray(
        drawn.parents.slice(1).map((_, index) => index),
        fullLength(drawn),
      ),
    ),
  );
  await fc.assert(
    fc.asyncProperty(shuffled, async ([drawn, order]) => {
      const { base, tips } = await tipsOf(drawn);
      const permuted = order.flatMap((index) => tips[index] ?? []);
      expect(await fold(ground.repository, base, permuted)).toEqual(await fold(ground.repository, base, tips));
    }),
    { numRuns: 6 },
  );
}, 60_000);

test("tasks on disjoint paths may be folded in any order, and one after another, with the same tree", async () => {
  const parts = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 2, maxLength: 5 });
  const work = fc.dictionary(fc.constantFrom("x", "y/z", "w"), fc.option(fc.string()), { minKeys: 1 });
  const base: Files = new Map(["a", "b", "c", "d", "e"].map((part) => [`${part}/x`, { content: `old ${part}` }]));
  await fc.assert(
    fc.asyncProperty(
      parts.chain((names) => fc.tuple(...names.map((part) => fc.tuple(fc.constant(part), work)))),
      async (tasks) => {
        const results = tasks.map(([part, changes]) => {
          const result: Files = new Map(base);
          for (const [name, content] of Object.entries(changes)) {
            if (content === null) result.delete(`${part}/${name}`);
            else result.set(`${part}/${name}`, { content });
          }
          return result;
        });
        const { base: root, tips } = await tipsOf({ trees: [base, ...results], parents: [] });
        const forward = await fold(ground.repository, root, tips);
        const backward = tips.map((tip) => ({ ...tip, ordinal: -tip.ordinal }));
        expect((await fold(ground.repository, root, backward)).tree).toBe(forward.tree);
        const rest = await fold(ground.repository, root, tips.slice(1));
        const [first] = tips;
        const last = { taskId: named(9), ordinal: 9, base: root.tree, tree: rest.tree };
        expect((await fold(ground.repository, root, first ? [first, last] : [])).tree).toBe(forward.tree);
        expect(forward.leftOut).toEqual([]);
      },
    ),
    { numRuns: 6 },
  );
}, 60_000);

function fullLength({ parents }: Scenario): { minLength: number; maxLength: number } {
  return { minLength: parents.length - 1, maxLength: parents.length - 1 };
}
