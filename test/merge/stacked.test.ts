import { afterAll, beforeAll, expect, test } from "vitest";
import { fold, type Tip } from "../../src/merge/fold.ts";
import { plant } from "../support/plant.ts";
import { filesOf, type Ground, named, openGround, type Sketch, sketch } from "./ground.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground[Symbol.asyncDispose]());

const content = Array.from({ length: 20 }, (_, line) => `line ${line}`);
const edit = (changes: Readonly<Record<number, string>>) =>
  `${content.map((line, at) => changes[at] ?? line).join("\n")}\n`;

/** The base, and tips that each start from the tree of the sketch they name (0 is the base). */
async function lay(sketches: readonly Sketch[], starts: readonly number[]) {
  const planted = await plant(ground.repository, sketches.map(sketch));
  const treeAt = (index: number) => planted[index]?.tree ?? "";
  const tips = starts.map(
    (start, index): Tip => ({ taskId: named(index + 1), ordinal: index, base: treeAt(start), tree: treeAt(index + 1) }),
  );
  const base = { tree: treeAt(0), commit: planted[0]?.commit ?? "" };
  return { base, tips, treeAt };
}

const foldOf = async (base: { tree: string; commit: string }, tips: readonly Tip[]) => {
  const folded = await fold(ground.repository, base, tips);
  return { files: await filesOf(ground.repository, folded.tree), out: folded.leftOut.map((left) => left.taskId) };
};

test("a task that starts from what another made adds to it, on the same lines and on names it brought", async () => {
  const { base, tips, treeAt } = await lay(
    [
      { a: edit({}), keep: "k" },
      { a: edit({ 3: "one" }), new: edit({}), keep: "k" },
      { a: edit({ 3: "one and two" }), "new/inside": edit({ 4: "moved" }), keep: "k" },
    ],
    [0, 1],
  );
  expect((await fold(ground.repository, base, tips)).tree).toBe(treeAt(2));
});

test("without the task it started from, only its own edits are taken, or it is left out where they build on it", async () => {
  const { base, tips } = await lay(
    [{ a: edit({}) }, { a: edit({ 3: "one" }), b: "b" }, { a: edit({ 3: "one", 15: "two" }), b: "b" }],
    [0, 1],
  );
  expect(await foldOf(base, tips.slice(1))).toEqual({ files: { a: edit({ 15: "two" }) }, out: [] });
  const onTop = await lay([{ a: edit({}) }, { a: edit({ 3: "one" }) }, { a: edit({ 3: "two" }) }], [0, 1]);
  expect(await foldOf(onTop.base, onTop.tips.slice(1))).toEqual({ files: { a: edit({}) }, out: ["part-2"] });
});

test("a task that undoes what it started from leaves the base as it was", async () => {
  const base = { a: edit({}), b: "b" };
  const laid = await lay([base, { a: edit({ 3: "one" }), c: "c", b: "b" }, base], [0, 1]);
  expect((await fold(ground.repository, laid.base, laid.tips)).tree).toBe(laid.base.tree);
});

test("siblings on one start and a task on the base meet in one file, and each subset folds", async () => {
  const { base, tips } = await lay(
    [
      { a: edit({}) },
      { a: edit({ 1: "one" }) },
      { a: edit({ 1: "one", 7: "two" }) },
      { a: edit({ 1: "one", 12: "three" }) },
      { a: edit({ 18: "four" }) },
    ],
    [0, 1, 1, 0],
  );
  expect(await foldOf(base, tips)).toEqual({
    files: { a: edit({ 1: "one", 7: "two", 12: "three", 18: "four" }) },
    out: [],
  });
  expect(
    await foldOf(
      base,
      tips.filter((tip) => tip.taskId !== "part-3"),
    ),
  ).toEqual({
    files: { a: edit({ 1: "one", 7: "two", 18: "four" }) },
    out: [],
  });
});

test("a file in the place of a directory that another task removed keeps its ground through later merges", async () => {
  const { base, tips } = await lay(
    [
      { "d/x": edit({}), a: edit({}) },
      { a: edit({}) },
      { a: edit({ 2: "two" }), d: edit({ 1: "now a file" }) },
      { "d/x": edit({}), a: edit({ 18: "three" }) },
    ],
    [0, 1, 0],
  );
  const all = { a: edit({ 2: "two", 18: "three" }), d: edit({ 1: "now a file" }) };
  expect(await foldOf(base, tips)).toEqual({ files: all, out: [] });
  expect(await foldOf(base, tips.slice(1))).toEqual({
    files: { "d/x": edit({}), a: edit({ 18: "three" }) },
    out: ["part-2"],
  });
});
