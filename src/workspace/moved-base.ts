import type { Base } from "../protocol/job.ts";
import type { Repository } from "./repository.ts";

/** Whether the ref a job started from is elsewhere by now in the user's repository: its new commit, or that it is gone. */
export async function movedBase(
  repository: Repository,
  { ref, commit, is_dirty }: Pick<Base, "ref" | "commit" | "is_dirty">,
): Promise<{ kind: "same" } | { kind: "gone" } | { kind: "moved"; commit: string; tree: string }> {
  const now = await commitAt(repository, repository.user.gitDir, `${ref}^{commit}`);
  if (now === undefined) return { kind: "gone" };
  // What was uncommitted then is a commit of ours on top of where the ref was.
  const then = is_dirty ? await commitAt(repository, repository.gitDir, `${commit}^`) : commit;
  if (now === then) return { kind: "same" };
  const tree = await repository.objects.info(`${now}^{tree}`);
  return tree ? { kind: "moved", commit: now, tree: tree.oid } : { kind: "gone" };
}

async function commitAt({ git }: Repository, gitDir: string, name: string): Promise<string | undefined> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
  const found = await git(args, { gitDir, accept: [0, 1, 128] });
  return found.stdout.toString().trim() || undefined;
}
