import { Fault } from "../protocol/failure.ts";
import type { ObjectType } from "./loose-objects.ts";
import { planTrees } from "./plan-trees.ts";
import type { RawPath } from "./raw-path.ts";
import { rawOf } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import type { TreeEntry } from "./tree-listing.ts";

/** Trees and commits in our own repository, without an index and without a checkout. */
export interface TreeChange {
  path: RawPath;
  /** null deletes the path. */
  mode: string | null;
  oid: string | null;
}

/** All files, symlinks and submodules of a tree (or a commit's tree). `sizes` also asks for the bytes of each blob. */
export async function listTree(
  repository: Repository,
  tree: string,
  options: { sizes?: boolean } = {},
): Promise<TreeEntry[]> {
  if (!options.sizes) return [...(await repository.listings.get(tree)).entries.values()];
  const { stdout } = await repository.git(["ls-tree", "-r", "-l", "-z", "--full-tree", tree], {
    gitDir: repository.gitDir,
  });
  return stdout.toString("latin1").split("\0").slice(0, -1).map(sizedEntry);
}

function sizedEntry(line: string): TreeEntry {
  const tab = line.indexOf("\t");
  const [mode = "", , oid = "", size = ""] = line.slice(0, tab).split(/ +/);
  const path = rawOf(line.slice(tab + 1));
  return /^\d+$/.test(size) ? { path, mode, oid, size: Number(size) } : { path, mode, oid };
}

/**
 * The tree that `baseTree` becomes by these changes. Only the directories on their way are written. Throws Fault
 * `conflict` where the result would hold a file and a directory of one name, and Fault `git` for a name no tree may hold.
 */
export async function writeTree(
  repository: Repository,
  baseTree: string,
  changes: readonly TreeChange[],
): Promise<string> {
  const listing = await repository.listings.get(baseTree);
  const plan = planTrees(listing, changes, repository.objectFormat);
  if (plan.trees.length === 0) return plan.root;
  await expectBlobs(repository, changes);
  await repository.writer.trees(plan.trees);
  repository.listings.derives(plan.root, { from: listing.tree, changes });
  return plan.root;
}

/** A commit whose id depends on nothing but its arguments. `at` is milliseconds since the epoch. */
export async function commitTree(
  repository: Repository,
  commit: { tree: string; parents: readonly string[]; message: string; at: number },
): Promise<string> {
  const parents = [...new Set(commit.parents)];
  await expectObjects(repository, [commit.tree], "tree");
  await expectObjects(repository, parents, "commit");
  const who = `Sheaf <sheaf@localhost> ${Math.floor(commit.at / 1_000)} +0000`;
  const head = [`tree ${commit.tree}`, ...parents.map((parent) => `parent ${parent}`)];
  const message = commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`;
  const text = [...head, `author ${who}`, `committer ${who}`, "", message].join("\n");
  return await repository.writer.commit(Buffer.from(text));
}

/** A tree is stored without a look at what it points at; what is not the base's is looked at before. */
async function expectBlobs(repository: Repository, changes: readonly TreeChange[]): Promise<void> {
  const oids = changes.flatMap(({ mode, oid }) => (oid === null || mode === "160000" ? [] : [oid]));
  await expectObjects(repository, [...new Set(oids)], "blob");
}

async function expectObjects(
  { objects, writer }: Repository,
  oids: readonly string[],
  type: ObjectType,
): Promise<void> {
  const unknown = oids.filter((oid) => !writer.hasWritten(oid, type));
  const found = await Promise.all(unknown.map((oid) => objects.info(oid)));
  for (const [index, oid] of unknown.entries()) {
    if (found[index]?.type !== type || found[index]?.oid !== oid) throw new Fault("git", `${oid} is not a ${type}`);
  }
}

/** Points a ref of our repository (`refs/sheaf/<job>/...`) at a commit, so that it outlives every clean-up but `gc`. */
export async function keep(repository: Repository, ref: string, commit: string): Promise<void> {
  if (!ref.startsWith("refs/sheaf/")) throw new Fault("internal", `a kept ref begins with refs/sheaf/, not ${ref}`);
  await repository.writer.ref(ref, commit);
}
