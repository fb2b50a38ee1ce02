import { expect, test } from "vitest";
import { fold } from "../../src/merge/fold.ts";
import { changesOfMany } from "../../src/workspace/diff.ts";
import { listTree } from "../../src/workspace/tree.ts";
import { manyTips } from "../support/many-tips.ts";
import { openGround } from "./ground.ts";

test("hundreds of tasks with edits, new files and deletions of their own are all in the one tree", async () => {
  await using ground = await openGround();
  const { repository } = ground;
  const { base, tips } = await manyTips(repository, { tasks: 200, filesEach: 10, untouched: 100 });
  const folded = await fold(repository, base, tips);
  expect(folded).toMatchObject({ leftOut: [], identical: 0, folded: tips.map((tip) => tip.taskId) });
  const expected = new Map((await listTree(repository, base.tree)).map((entry) => [entry.path, entry.oid]));
  const changes = await changesOfMany(
    repository,
    tips.map(({ tree }) => ({ from: base.tree, to: tree })),
  );
  for (const { path, after } of changes.flat()) {
    if (after) expected.set(path, after.oid);
    else expected.delete(path);
  }
  const found = (await listTree(repository, folded.tree)).map((entry) => [entry.path, entry.oid] as const);
  expect(new Map(found)).toEqual(expected);
  expect(changes.flat().length).toBe(2_000);
});
