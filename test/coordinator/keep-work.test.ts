import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createStanding } from "../../src/coordinator/standing.ts";
import { keepWork } from "../../src/coordinator/tasks/keep-work.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { commitTree } from "../../src/workspace/tree.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

it("an owner that lost its job unawares takes no ref from under the commit of the next one", async () => {
  const { repository, spec } = await bench.repository({ a: "1\n" });
  const id = jobId.parse(newUuid(bench.equipment.clock));
  const owner = (epoch: number) => {
    const root = { runId: runId.parse(id), jobId: id, epoch, head: 0 };
    return { id, root, repository, standing: createStanding(Date.now) };
  };
  const commit = (at: number) =>
    commitTree(repository, { tree: spec.base.tree, parents: [spec.base.commit], message: "done", at });
  const [older, newer] = [await commit(1_000), await commit(2_000)];
  await keepWork({ ordinal: 0 }, newer, owner(2));
  await keepWork({ ordinal: 0 }, older, owner(1));
  const kept = () =>
    execFileSync("git", ["--git-dir", repository.gitDir, "for-each-ref", "--format=%(objectname)", `refs/sheaf/${id}/`])
      .toString()
      .split("\n")
      .filter((line) => line !== "");
  expect(kept()).toContain(newer);
  const lost = owner(1);
  lost.standing.giveUp("another node has taken this job");
  const before = kept();
  await expect(keepWork({ ordinal: 1 }, older, lost)).rejects.toMatchObject({ code: "fenced" });
  expect(kept()).toEqual(before);
});
