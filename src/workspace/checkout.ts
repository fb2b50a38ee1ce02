import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readByCommands } from "./make-bare.ts";
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
  const commit = await commitTree(repository, { tree, parents, message: "The tree under check", at: 0 });
  const record = await addRecord(repository.gitDir, directory, commit);
  const dispose = async () => {
    await removeFolder(directory);
    await rm(record, { recursive: true, force: true });
  };
  try {
    const where = { gitDir: record, workTree: directory, cwd: directory };
    await repository.git(["read-tree", "--reset", "-u", commit], where);
  } catch (cause) {
    await dispose();
    throw cause;
  }
  return { root: directory, dispose };
}

/**
 * Makes `directory` a worktree of our repository at a commit, without its files and its index, and returns the folder
 * of the record. That is what `git worktree add` writes (gitrepository-layout, "worktrees"), but put in place whole: two
 * of them at once read each other's half-made record and fail (git 2.39).
 */
export async function addRecord(gitDir: string, directory: string, commit: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await mkdir(join(gitDir, "worktrees"), { recursive: true });
  const draft = await mkdtemp(join(gitDir, "checkout-"));
  const record = join(gitDir, "worktrees", basename(draft));
  await writeFile(join(draft, "commondir"), "../..\n");
  await writeFile(join(draft, "gitdir"), `${join(directory, ".git")}\n`);
  await writeFile(join(draft, "HEAD"), `${commit}\n`);
  await writeFile(join(directory, ".git"), `gitdir: ${record}\n`);
  await chmod(draft, readByCommands);
  await rename(draft, record);
  return record;
}
