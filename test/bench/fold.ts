import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fold as foldTips } from "../../src/merge/fold.ts";
import { createGit } from "../../src/workspace/git.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";
import { type ManyTips, manyTips } from "../support/many-tips.ts";
import type { Figure } from "./figure.ts";
import { git, manyFiles } from "./many-files.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";

const tasks = 1_000;
const merged = 20;

export const fold: Figure = {
  name: "fold",
  title: `fold of ${tasks} disjoint task trees with 10,000 paths / git merge one by one, extrapolated from ${merged}`,
  async measure({ directory, isQuick }) {
    const user = join(directory, "user");
    await mkdir(user);
    await manyFiles(user, 1);
    const open = () =>
      openRepository(user, { home: join(directory, "home"), git: createGit({ path: process.env.PATH ?? "" }) });
    const repository = await open();
    const many = await manyTips(repository, { tasks, filesEach: 10, untouched: 2_000 });
    await repository.close();
    const clone = await cloneOf(repository, join(directory, "clone"));
    const pairs = await takePairs(isQuick ? 1 : 5, {
      subject: async () => timeFold(await open(), many),
      baseline: () => timeMerges(clone, many),
    });
    const best = Math.min(...pairs.subject) / 1_000;
    const { value, statistic } = ratioOfMinima(pairs);
    const baseline = short(Math.min(...pairs.baseline) / 1_000);
    const absolute = `${short(best)} s / ${baseline} s`;
    return [
      { what: "fold / one by one", unit: "x", value, statistic, goal: { is: "<=", limit: 0.005 }, absolute },
      { what: "the fold itself", unit: "s", value: best, statistic, goal: { is: "<=", limit: 1 }, absolute },
    ];
  },
};

/** A clone with the base checked out: where a person would merge. */
async function cloneOf(repository: Repository, directory: string): Promise<string> {
  await git(repository.gitDir, ["clone", "--quiet", "--shared", "--branch", "base", repository.gitDir, directory]);
  await git(directory, ["config", "user.name", "B"]);
  await git(directory, ["config", "user.email", "b@b"]);
  return directory;
}

/** With nothing known of the base: a repository that was just opened. */
async function timeFold(repository: Repository, many: ManyTips): Promise<number> {
  try {
    const begun = performance.now();
    const result = await foldTips(repository, many.base, many.tips);
    const took = performance.now() - begun;
    if (result.folded.length !== tasks) throw new Error(`${result.folded.length} of ${tasks} trees were folded`);
    return took;
  } finally {
    await repository.close();
  }
}

/** Evenly taken from all tips; each is a merge of its own because HEAD has moved since the base. */
async function timeMerges(clone: string, many: ManyTips): Promise<number> {
  await git(clone, ["reset", "--quiet", "--hard", many.base.commit]);
  const chosen = Array.from({ length: merged }, (_, index) => many.commits[index * (tasks / merged)] ?? "");
  const begun = performance.now();
  for (const commit of chosen) await git(clone, ["merge", "--quiet", "--no-ff", "--no-edit", commit]);
  return (performance.now() - begun) * (tasks / merged);
}
