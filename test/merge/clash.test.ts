import { afterAll, beforeAll, expect, test } from "vitest";
import { foldSketches, type Ground, openGround } from "./ground.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground[Symbol.asyncDispose]());

const text = (name: string) => `${Array.from({ length: 12 }, (_, line) => `${name} ${line}`).join("\n")}\n`;

test("a task that adds d/x and one that adds a file d: the later is left out, in either order", async () => {
  const base = { keep: "k" };
  const file = { ...base, d: "file" };
  const directory = { ...base, "d/x": "x", "d/z": "z" };
  const first = await foldSketches(ground, base, [directory, file]);
  expect(first.files).toEqual(directory);
  expect(first.leftOut).toMatchObject([
    { taskId: "part-2", with: ["part-1"], paths: ["d"], reason: "file and directory clash" },
  ]);
  const second = await foldSketches(ground, base, [file, directory]);
  expect(second.files).toEqual(file);
  expect(second.out).toEqual(["part-2"]);
});

test("a file put where a directory was is refused while another task still has a file in that directory", async () => {
  const base = { "d/y": text("y"), keep: "k" };
  const replaced = { d: "a file now", keep: "k" };
  const added = { ...base, "d/new": "new" };
  expect(await foldSketches(ground, base, [added, replaced])).toMatchObject({ files: added, out: ["part-2"] });
  expect(await foldSketches(ground, base, [replaced, added])).toMatchObject({ files: replaced, out: ["part-2"] });
  expect(await foldSketches(ground, base, [replaced])).toMatchObject({ files: replaced, out: [] });
});

test("what an earlier task removes makes room for a later task, and never the other way round", async () => {
  const base = { README: text("upper"), keep: "k" };
  const removed = { keep: "k" };
  const added = { ...base, readme: text("lower") };
  expect(await foldSketches(ground, base, [removed, added])).toMatchObject({
    files: { keep: "k", readme: text("lower") },
    out: [],
  });
  const late = await foldSketches(ground, base, [added, removed]);
  expect(late.files).toEqual(removed);
  expect(late.leftOut).toMatchObject([{ taskId: "part-1", with: [], reason: "names differ only by case" }]);
});

test("names that differ only by case clash between tasks, with the base, within a task, and by directory", async () => {
  const base = { "src/a": "a" };
  const between = await foldSketches(ground, base, [
    { ...base, New: "1" },
    { ...base, new: "2" },
  ]);
  expect(between.leftOut).toMatchObject([{ taskId: "part-2", with: ["part-1"], paths: ["new", "New"] }]);
  expect((await foldSketches(ground, base, [{ ...base, "src/A": "2" }])).out).toEqual(["part-1"]);
  expect((await foldSketches(ground, base, [{ ...base, x: "1", X: "2" }])).out).toEqual(["part-1"]);
  expect((await foldSketches(ground, base, [{ ...base, "Src/b": "2" }])).out).toEqual(["part-1"]);
});

test("a base that already has README and readme is not the task's fault", async () => {
  const base = { README: text("1"), readme: text("2"), "Doc/a": "a", "doc/b": "b" };
  const result = { ...base, README: text("3"), readme: text("4"), "doc/c": "c" };
  expect(await foldSketches(ground, base, [result])).toMatchObject({ files: result, out: [] });
});

test("a renaming of case alone is folded", async () => {
  const result = { readme: text("1"), other: "o2" };
  expect(await foldSketches(ground, { README: text("1"), other: "o" }, [result])).toMatchObject({
    files: result,
    out: [],
  });
});

test("a task that is left out no longer counts: what only it stood in the way of is folded", async () => {
  const base = { a: text("a"), b: text("b") };
  const folded = await foldSketches(ground, base, [
    { ...base, a: text("one") },
    { a: text("two"), b: text("two") },
    { ...base, b: text("three") },
  ]);
  expect(folded).toMatchObject({ files: { a: text("one"), b: text("three") }, out: ["part-2"] });
  expect(folded.leftOut[0]).toMatchObject({ with: ["part-1"], paths: ["a"] });
});
