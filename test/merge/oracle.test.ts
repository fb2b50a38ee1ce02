import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fold } from "../../src/merge/fold.ts";
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

const scenario = fc
  .record({
    base: fc.uniqueArray(path, { minLength: 4, maxLength: 9 }),
    tasks: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
  })
  .map(({ base, tasks }) => {
    const files: Files = new Map();
    for (const at of base) put(files, at, { content: `${linesOf(at).join("\n")}\n` });
    const results = tasks.map((steps) => {
      const result: Files = new Map(files);
      for (const action of steps) apply(result, action);
      return result;
    });
    return [files, ...results];
  });

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
    fc.asyncProperty(scenario, async (trees) => {
      const [base = { commit: "", tree: "" }, ...tips] = await plant(ground.repository, trees);
      const order = tips.map(({ tree }, index) => ({
        taskId: named(index + 1),
        ordinal: index,
        base: base.tree,
        tree,
      }));
      const ours = await fold(ground.repository, base, order);
      expect({ tree: ours.tree, folded: ours.folded }).toEqual(await mergeOneByOne(base, tips));
    }),
    { numRuns: Number(process.env.RUNS ?? 25) },
  );
}, 3_600_000);
