import { Fault } from "../protocol/failure.ts";
import type { Repository } from "./repository.ts";

/**
 * Copies a commit and all that the user's repository lacks of it into the user's object store, as one pack. No remote,
 * no transport, no URL: nothing of the user's configuration can turn this into a program that runs.
 */
export async function sendObjects(repository: Repository, commit: string): Promise<void> {
  const { git, gitDir, user } = repository;
  const known = await tipsOf(repository);
  const packed = await git(["pack-objects", "--quiet", "--revs", "--local", "--delta-base-offset", "--stdout"], {
    gitDir,
    input: [commit, "--not", ...known, ""].join("\n"),
  });
  // A pack says how many objects it holds in the four bytes after its signature and version.
  if (packed.stdout.length > 12 && packed.stdout.readUInt32BE(8) > 0) {
    await git(["index-pack", "--stdin"], { gitDir: user.gitDir, input: packed.stdout });
  }
  const checked = await git(["rev-list", "--quiet", "--objects", commit, "--not", "--all"], {
    gitDir: user.gitDir,
    accept: [0, 1, 128],
  });
  if (checked.code === 0) return;
  throw new Fault("git", `commit ${commit} did not arrive whole in ${user.top}: ${checked.stderr.trim()}`, {
    remedy: "run `git fsck` there",
  });
}

/** Commits the user's repository says it has. Where it cannot say, more is packed than had to be. */
async function tipsOf({ git, user }: Repository): Promise<string[]> {
  const where = { gitDir: user.gitDir, accept: [0, 1, 128] };
  const [refs, head] = await Promise.all([
    git(["for-each-ref", "--format=%(objecttype) %(objectname)"], where),
    git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], where),
  ]);
  if (refs.code !== 0) return [];
  const commits = refs.stdout
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("commit "));
  const tips = [head.stdout.toString().trim(), ...commits.map((line) => line.slice("commit ".length))];
  return [...new Set(tips.filter(Boolean))];
}
