import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createGit } from "../../src/workspace/git.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";
import { createWorkspace } from "../../src/workspace/workspace.ts";
import type { Bench, Figure, Reading } from "./figure.ts";
import { git, manyFiles } from "./many-files.ts";
import { type Pairs, pick, ratioOfMinima, short, takePairs } from "./pairs.ts";

const sizes = [
  { files: 5_000, limit: 0.1, pairs: 10 },
  { files: 50_000, limit: 0.04, pairs: 4 },
];
const scope = "src/part-2/group-7";

export const workspace: Figure = {
  name: "workspace",
  title: "a workspace of one directory (25 files) / git worktree add of the same commit",
  async measure(bench) {
    const readings: Reading[] = [];
    for (const size of sizes) readings.push(...(await measureSize(bench, size)));
    return readings;
  },
};

/** Of a job's workspaces the first one waits for the listing of the base; the others find it there. */
interface Times {
  firstMs: number;
  nextMs: number;
}

async function measureSize({ directory, isQuick }: Bench, size: (typeof sizes)[number]): Promise<Reading[]> {
  const place = join(directory, String(size.files));
  const user = join(place, "user");
  await mkdir(user, { recursive: true });
  await manyFiles(user, size.files);
  const tree = await git(user, ["rev-parse", "HEAD^{tree}"]);
  const open = () =>
    openRepository(user, { home: join(place, "home"), git: createGit({ path: process.env.PATH ?? "" }) });
  const pairs = await takePairs<Times>(isQuick ? 1 : size.pairs, {
    subject: async (turn) => timeWorkspaces(await open(), tree, join(place, `turn-${turn}`)),
    baseline: async (turn) => {
      const took = await timeWorktree(user, join(place, `worktree-${turn}`));
      return { firstMs: took, nextMs: took };
    },
  });
  const name = `${size.files / 1_000}k files`;
  const first = pick(pairs, ({ firstMs }) => firstMs);
  const next = pick(pairs, ({ nextMs }) => nextMs);
  return [
    reading(`a job's first workspace, listing the base / git worktree add, ${name}`, first, size.limit),
    reading(`a job's next workspace / git worktree add, ${name}`, next, size.limit),
  ];
}

function reading(what: string, pairs: Pairs<number>, limit: number): Reading {
  const absolute = `${short(Math.min(...pairs.subject))} ms / ${short(Math.min(...pairs.baseline))} ms`;
  return { what, unit: "x", ...ratioOfMinima(pairs), goal: { is: "<=", limit }, absolute };
}

async function timeWorkspaces(repository: Repository, tree: string, directory: string): Promise<Times> {
  try {
    const firstMs = await timeWorkspace(repository, tree, `${directory}-first`);
    return { firstMs, nextMs: await timeWorkspace(repository, tree, `${directory}-next`) };
  } finally {
    await repository.close();
  }
}

async function timeWorkspace(repository: Repository, tree: string, directory: string): Promise<number> {
  const begun = performance.now();
  const made = await createWorkspace(repository, { directory, tree, directories: [scope] });
  const took = performance.now() - begun;
  await made.dispose();
  return took;
}

async function timeWorktree(user: string, directory: string): Promise<number> {
  const begun = performance.now();
  await git(user, ["worktree", "add", "--quiet", "--detach", directory, "HEAD"]);
  const took = performance.now() - begun;
  await git(user, ["worktree", "remove", "--force", directory]);
  return took;
}
