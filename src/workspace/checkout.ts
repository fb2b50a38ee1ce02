import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { removeFolder } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { commitTree } from "./tree.ts";

/**
 * A whole, clean working tree for commands that look at the result: a git worktree of our own repository, so that
 * `git ls-files`, `git status` and `git diff` say in it what they would say after a fresh clone. The user's repository
 * does not know of it. Submodules are empty folders and LFS pointers stay pointers.
 */
export async function createCheckout(
  repository: Repository,
  wanted: { directory: string; tree: string; parents?: readonly string[] },
): Promise<{ root: string; dispose(): Promise<void> }> {
  const { directory, tree, parents = [] } = wanted;
  const { git, gitDir } = repository;
  const commit = await commitTree(repository, { tree, parents, message: "The tree under check", at: 0 });
  await git(["worktree", "add", "--quiet", "--force", "--detach", directory, commit], { gitDir });
  // Read now: what a command does to the `.git` file later changes nothing about what is cleaned up.
  const record = (await readFile(join(directory, ".git"), "utf8")).replace(/^gitdir: /, "").trimEnd();
  return {
    root: directory,
    dispose: async () => {
      await removeFolder(directory);
      await rm(record, { recursive: true, force: true });
    },
  };
}
