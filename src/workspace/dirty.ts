import { Fault } from "../protocol/failure.ts";
import { parseRaw } from "./diff.ts";
import { filteredAmong, isUnchangedPointer } from "./filtered.ts";
import { type RawPath, rawOf, toShown } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import { commitTree, type TreeChange, writeTree } from "./tree.ts";
import { type UserView, withUserView } from "./user-view.ts";

/**
 * What the user's checkout holds beyond a commit: tracked changes, staged or not, and untracked files that nothing
 * ignores. Submodules and other repositories inside are not ours to look at. No filter of the user's ever runs.
 */
export interface Dirty {
  path: RawPath;
  /** Untracked files have no blob yet. */
  isUntracked: boolean;
}

export async function dirtyPaths(repository: Repository, commit: string): Promise<Dirty[]> {
  return await withUserView(repository, async (view) => {
    await refresh(repository, view);
    const [tracked, untracked] = await Promise.all([
      trackedChanges(repository, view, commit),
      untrackedFiles(repository, view),
    ]);
    const dirty = [
      ...tracked.map((path) => ({ path, isUntracked: false })),
      ...untracked.map((path) => ({ path, isUntracked: true })),
    ];
    return dirty.sort((a, b) => (a.path < b.path ? -1 : 1));
  });
}

/** The copied index learns which files only look changed. */
async function refresh({ git }: Repository, view: UserView): Promise<void> {
  const args = [...view.flags, "update-index", "-q", "--refresh", "--unmerged", "--ignore-submodules"];
  await git(args, { ...view.where, accept: [0, 1] });
}

async function trackedChanges(repository: Repository, view: UserView, commit: string): Promise<RawPath[]> {
  const { git } = repository;
  const args = ["diff-index", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=all", commit];
  const { stdout } = await git([...view.flags, ...args], view.where);
  const { changes } = parseRaw(stdout.toString("latin1"), 0);
  const ours = changes.filter(({ before, after }) => (after ?? before)?.mode !== "160000");
  const filtered = await filteredAmong(
    repository,
    view,
    ours.map(({ path }) => path),
  );
  const paths = new Set<RawPath>();
  for (const { path, before } of ours) {
    // Without its filter a file of git-lfs looks changed; its pointer says whether it is.
    const isSame = before && filtered.has(path) && (await isUnchangedPointer(repository, path, before.oid));
    if (!isSame) paths.add(path);
  }
  return [...paths];
}

async function untrackedFiles({ git }: Repository, view: UserView): Promise<RawPath[]> {
  const { stdout } = await git([...view.flags, "ls-files", "-o", "-z", "--exclude-standard"], view.where);
  // A name that ends in a slash is another repository.
  return stdout
    .toString("latin1")
    .split("\0")
    .slice(0, -1)
    .filter((path) => !path.endsWith("/"))
    .map(rawOf);
}

/**
 * The dirty paths as a commit on top of the base, in our repository: the same files give the same commit. Throws
 * Fault `usage` for what only the user's own git can store (unmerged paths, paths behind a filter).
 */
export async function snapshot(
  repository: Repository,
  from: { commit: string; tree: string; paths: readonly Dirty[] },
): Promise<{ commit: string; tree: string }> {
  const paths = from.paths.map(({ path }) => path);
  const changes = await withUserView(repository, async (view) => {
    await refuseUnstorable(repository, view, paths);
    return await store(repository, view, paths);
  });
  const tree = await writeTree(repository, from.tree, changes);
  const at = await committedAt(repository, from.commit);
  const message = "Uncommitted changes, as they were taken";
  return { tree, commit: await commitTree(repository, { tree, parents: [from.commit], message, at }) };
}

async function refuseUnstorable(repository: Repository, view: UserView, paths: readonly RawPath[]): Promise<void> {
  const unmerged = await repository.git([...view.flags, "ls-files", "-u", "-z"], view.where);
  if (unmerged.stdout.length > 0) {
    throw new Fault("usage", `${repository.user.top} has unmerged paths`, {
      remedy: "finish or abort the merge first, or leave --include-dirty out",
    });
  }
  const [first] = await filteredAmong(repository, view, paths);
  if (first === undefined) return;
  throw new Fault("usage", `${toShown(first)} has uncommitted changes and a filter attribute (such as git-lfs)`, {
    remedy: "Sheaf runs no filters: commit that file first, or leave --include-dirty out",
  });
}

async function store(repository: Repository, view: UserView, paths: readonly RawPath[]): Promise<TreeChange[]> {
  const { git } = repository;
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1");
  const args = ["update-index", "-z", "--add", "--remove", "--replace", "--stdin"];
  await git([...view.flags, ...args], { ...view.where, input });
  const { stdout } = await git(["ls-files", "-s", "-z"], view.where);
  const stored = new Map<string, { mode: string; oid: string }>();
  for (const line of stdout.toString("latin1").split("\0").slice(0, -1)) {
    const [mode = "", oid = ""] = line.split(" ");
    stored.set(line.slice(line.indexOf("\t") + 1), { mode, oid });
  }
  return paths.map((path) => ({ path, mode: null, oid: null, ...stored.get(path) }));
}

async function committedAt({ git, gitDir }: Repository, commit: string): Promise<number> {
  const { stdout } = await git(["show", "--no-patch", "--format=%ct", commit], { gitDir });
  return Number(stdout.toString().trim()) * 1_000;
}
