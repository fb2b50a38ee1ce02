import { access } from "node:fs/promises";
import { Fault } from "../protocol/failure.ts";
import type { Base } from "../protocol/job.ts";
import { dirtyPaths, snapshot } from "./dirty.ts";
import { toShown } from "./raw-path.ts";
import type { Repository } from "./repository.ts";

/** Where a job starts: one exact commit, resolved once. What is not committed is counted, and left unless asked for. */
export interface ResolvedBase {
  base: Base;
  /** Uncommitted and untracked, not ignored; of a bare repository always 0. `sample` holds at most 20 of them. */
  dirty: { count: number; sample: string[] };
}

/**
 * Resolves `ref` in the user's repository. Throws Fault `no_commits`, `unknown_ref`, `locked` (another git is writing
 * the index), `usage` (uncommitted changes asked for that cannot be taken) or `git`.
 */
export async function resolveBase(
  repository: Repository,
  ref: string,
  options: { includeDirty: boolean },
): Promise<ResolvedBase> {
  const commit = await commitAt(repository, ref);
  const tree = await treeOf(repository, commit);
  const base: Base = { repository: repository.user.top, ref, commit, tree, is_dirty: false };
  if (repository.user.isBare) return { base, dirty: { count: 0, sample: [] } };
  if (options.includeDirty) await refuseLocked(repository);
  const head = ref === "HEAD" ? commit : await headOf(repository);
  const paths = head === undefined ? [] : await dirtyPaths(repository, head);
  const dirty = { count: paths.length, sample: paths.slice(0, 20).map(({ path }) => toShown(path)) };
  if (!options.includeDirty || paths.length === 0) return { base, dirty };
  if (head !== commit) throw elsewhere(ref, commit, head);
  const taken = await snapshot(repository, { commit, tree, paths });
  return { base: { ...base, ...taken, is_dirty: true }, dirty };
}

/** That commit and no other, whatever the refs say; it may be one of ours. Throws Fault `unknown_ref`. */
export async function exactBase(repository: Repository, commit: string): Promise<Base> {
  const found = await repository.objects.info(`${commit}^{commit}`);
  if (found?.oid !== commit) throw unknown(commit, "the repository does not have it");
  const tree = await treeOf(repository, commit);
  return { repository: repository.user.top, ref: commit, commit, tree, is_dirty: false };
}

async function commitAt(repository: Repository, ref: string): Promise<string> {
  // A search through the history by a pattern takes as long as the pattern likes.
  if (ref === "" || /^[-^:]|\.\.|\^\{\/|[\x00-\x1f\x7f]/.test(ref))
    throw unknown(ref, "it is not the name of one commit");
  const { git, user } = repository;
  const found = await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`], {
    gitDir: user.gitDir,
    accept: [0, 1, 128],
  });
  const oid = found.stdout.toString().trim();
  if (/^[0-9a-f]{40,64}$/.test(oid)) return oid;
  throw await unresolved(repository, ref);
}

async function unresolved(repository: Repository, ref: string): Promise<Fault> {
  const { git, user } = repository;
  const where = { gitDir: user.gitDir, accept: [0, 1, 128] };
  const other = await git(["cat-file", "-t", ref], where);
  if (other.code === 0) return unknown(ref, `it is a ${other.stdout.toString().trim()}, not a commit`);
  const refs = await git(["for-each-ref", "--count=3", "--format=%(refname:short)", "refs/heads", "refs/tags"], where);
  const names = refs.stdout.toString().trim().split("\n").filter(Boolean);
  if (names.length > 0) return unknown(ref, undefined, `there are, for example: ${names.join(", ")}`);
  return new Fault("no_commits", `${user.top} has no commits yet`, {
    remedy: "commit something first: git add -A && git commit -m 'First commit'",
  });
}

function unknown(ref: string, why: string | undefined, remedy = "name a branch, a tag or a commit id"): Fault {
  return new Fault("unknown_ref", `${JSON.stringify(ref)} is not a commit here${why ? `: ${why}` : ""}`, { remedy });
}

/** Asked of our own repository: it proves that the user's objects can be read through it. */
async function treeOf(repository: Repository, commit: string): Promise<string> {
  const found = await repository.objects.info(`${commit}^{tree}`);
  if (found) return found.oid;
  throw new Fault("git", `commit ${commit} or its tree cannot be read from ${repository.user.commonDir}`, {
    remedy: "run `git fsck` in that repository",
  });
}

async function headOf(repository: Repository): Promise<string | undefined> {
  const { git, user } = repository;
  const args = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
  const found = await git(args, { gitDir: user.gitDir, accept: [0, 1, 128] });
  return found.stdout.toString().trim() || undefined;
}

/** Another git is at the index: what it says now may be half of something. */
export async function refuseLocked(repository: Repository): Promise<void> {
  const lock = `${repository.user.indexFile}.lock`;
  const isLocked = await access(lock).then(
    () => true,
    () => false,
  );
  if (!isLocked) return;
  throw new Fault("locked", `another git is working in ${repository.user.top} (${lock} exists)`, {
    remedy: "wait until it has finished; if no git runs there, remove that file",
  });
}

function elsewhere(ref: string, commit: string, head: string | undefined): Fault {
  return new Fault(
    "usage",
    `the uncommitted changes belong to HEAD (${head?.slice(0, 12) ?? "unborn"}), not to ${ref} (${commit.slice(0, 12)})`,
    { remedy: "use HEAD as the base, or leave --include-dirty out" },
  );
}
