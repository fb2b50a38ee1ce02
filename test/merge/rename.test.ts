import { afterAll, beforeAll, expect, test } from "vitest";
import { foldSketches, type Ground, openGround } from "./ground.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground[Symbol.asyncDispose]());

const content = Array.from({ length: 20 }, (_, line) => `export const name${line} = ${line};`);
const whole = `${content.join("\n")}\n`;
const edit = (at: number, text: string) => `${content.with(at, text).join("\n")}\n`;
const keep = { keep: "k" };

test("an edit follows a file that another task moved, whichever comes first", async () => {
  const base = { ...keep, "old.js": whole };
  const moved = { ...keep, "lib/new.js": edit(1, "moved") };
  const edited = { ...keep, "old.js": edit(17, "edited") };
  const both = { ...keep, "lib/new.js": `${content.with(1, "moved").with(17, "edited").join("\n")}\n` };
  expect(await foldSketches(ground, base, [moved, edited])).toMatchObject({ files: both, out: [] });
  expect(await foldSketches(ground, base, [edited, moved])).toMatchObject({ files: both, out: [] });
});

test("three tasks on one file, one of which moves it, end in one file with all edits in any order", async () => {
  const base = { ...keep, "old.js": whole };
  const tasks = [
    { ...keep, "new.js": whole },
    { ...keep, "old.js": edit(2, "two") },
    { ...keep, "old.js": edit(18, "three") },
  ];
  const all = { ...keep, "new.js": `${content.with(2, "two").with(18, "three").join("\n")}\n` };
  for (const order of [
    [0, 1, 2],
    [1, 0, 2],
    [1, 2, 0],
    [2, 1, 0],
  ]) {
    const folded = await foldSketches(
      ground,
      base,
      order.flatMap((index) => tasks[index] ?? []),
    );
    expect(folded).toMatchObject({ files: all, out: [] });
  }
});

test("a file moved to two names is a conflict, and so is one moved here and deleted there", async () => {
  const base = { ...keep, "old.js": whole };
  const twice = await foldSketches(ground, base, [
    { ...keep, "a.js": whole },
    { ...keep, "b.js": whole },
  ]);
  expect(twice).toMatchObject({ files: { ...keep, "a.js": whole }, out: ["part-2"] });
  expect(twice.leftOut[0]).toMatchObject({ reason: "renamed to different names", with: ["part-1"] });
  const gone = await foldSketches(ground, base, [keep, { ...keep, "b.js": whole }]);
  expect(gone).toMatchObject({ files: keep, out: ["part-2"] });
  expect(gone.leftOut[0]?.reason).toBe("deleted there, renamed here");
  const same = await foldSketches(ground, base, [
    { ...keep, "a.js": whole },
    { ...keep, "a.js": whole, more: "m" },
  ]);
  expect(same).toMatchObject({ files: { ...keep, "a.js": whole, more: "m" }, out: [] });
});

test("deleted here and edited there is a conflict that shows the edit", async () => {
  const base = { ...keep, "old.js": whole };
  const folded = await foldSketches(ground, base, [keep, { ...keep, "old.js": edit(9, "edited") }]);
  expect(folded.leftOut).toMatchObject([{ paths: ["old.js"], reason: "deleted there, edited here", with: ["part-1"] }]);
  expect(folded.leftOut[0]?.hunks).toContain("-export const name9 = 9;\n+edited\n");
});

test("a whole directory that moves does not drag along what another task adds to it", async () => {
  const files = (folder: string) => ({ [`${folder}/a.js`]: whole, [`${folder}/b.js`]: edit(3, "b") });
  const base = { ...keep, ...files("old") };
  const added = { ...base, "old/c.js": "c\n" };
  const folded = await foldSketches(ground, base, [{ ...keep, ...files("new") }, added]);
  expect(folded).toMatchObject({ files: { ...keep, ...files("new"), "old/c.js": "c\n" }, out: [] });
});

test("a deletion and a look-alike by tasks that never met are not taken for a move when a third task edits", async () => {
  const base = { ...keep, "old.js": whole };
  const removal = keep;
  const alike = { ...base, "alike.js": edit(0, "// a copy") };
  const edited = { ...keep, "old.js": edit(9, "edited") };
  const folded = await foldSketches(ground, base, [removal, alike, edited]);
  expect(folded).toMatchObject({ files: { ...keep, "alike.js": edit(0, "// a copy") }, out: ["part-3"] });
  const without = await foldSketches(ground, base, [removal, edited]);
  expect(without.leftOut.map((left) => left.reason)).toEqual(folded.leftOut.map((left) => left.reason));
});
