import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { Repository } from "./repository.ts";

/** Moving a branch under a working tree would make its files look changed: refused, in every worktree of the user's. */
export async function refuseCheckedOut(repository: Repository, ref: string): Promise<void> {
  for (const worktree of await worktreesOf(repository)) {
    const isHere = worktree.branch === ref || (await inProgress(repository, worktree.path)).includes(ref);
    if (isHere) {
      throw new Fault("conflict", `${ref.replace("refs/heads/", "branch ")} is checked out in ${worktree.path}`, {
        remedy: "choose another branch name, or `sheaf apply` to change the working files",
      });
    }
  }
}

interface Worktree {
  path: string;
  branch: string | undefined;
}

async function worktreesOf({ git, user }: Repository): Promise<Worktree[]> {
  const { stdout } = await git(["worktree", "list", "--porcelain", "-z"], { gitDir: user.gitDir });
  return stdout
    .toString("utf8")
    .split("\0\0")
    .filter(Boolean)
    .map((block) => {
      const fields = new Map(
        block.split("\0").map((line) => [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)]),
      );
      return { path: fields.get("worktree") ?? "", branch: fields.get("branch") };
    });
}

/** A rebase or a bisection takes HEAD off the branch it will come back to. */
async function inProgress({ git }: Repository, path: string): Promise<string[]> {
  const found = await git(["rev-parse", "--absolute-git-dir"], { cwd: path, accept: [0, 128] }).catch(() => undefined);
  const gitDir = found?.code === 0 ? found.stdout.toString().replace(/\n$/, "") : undefined;
  if (gitDir === undefined) return [];
  const places = ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"];
  const said = await Promise.all(places.map((place) => readFile(join(gitDir, place), "utf8").catch(() => "")));
  return said.map((text) => text.trim()).map((name) => (name.startsWith("refs/") ? name : `refs/heads/${name}`));
}
