import { type PlannedTree, planTrees } from "./plan-trees.ts";
import { joinRaw, type RawPath } from "./raw-path.ts";
import type { TreeChange } from "./tree.ts";
import type { Child } from "./tree-body.ts";
import type { Directory, Listing, TreeEntry } from "./tree-listing.ts";

/** The listing of the tree that these changes make of another, without asking git: what is the same is shared. */
export function deriveListing(from: Listing, changes: readonly TreeChange[], format: "sha1" | "sha256"): Listing {
  const plan = planTrees(from, changes, format);
  const directories = new Map(from.directories);
  for (const path of plan.emptied) directories.delete(path);
  for (const tree of plan.trees) directories.set(tree.path, directoryAfter(from.directories.get(tree.path), tree));
  return { tree: plan.root, entries: entriesAfter(from.entries, changes), directories };
}

function directoryAfter(before: Directory | undefined, tree: PlannedTree): Directory {
  const isDirectory = (child: Child | undefined) => child?.mode === "40000";
  const isFile = (child: Child | undefined) => child !== undefined && !isDirectory(child);
  return {
    oid: tree.oid,
    files: pathsAfter(before?.files ?? [], tree, isFile).sort((a, b) => (a < b ? -1 : 1)),
    // Git takes a directory's name for one that ends with a slash.
    directories: pathsAfter(before?.directories ?? [], tree, isDirectory).sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1)),
  };
}

function pathsAfter(
  before: readonly RawPath[],
  { path, edits }: PlannedTree,
  isWanted: (child: Child | undefined) => boolean,
): RawPath[] {
  const paths = new Set(before);
  for (const [name, child] of edits) {
    const at = joinRaw(path, name);
    if (isWanted(child)) paths.add(at);
    else paths.delete(at);
  }
  return [...paths];
}

function entriesAfter(
  before: ReadonlyMap<RawPath, TreeEntry>,
  changes: readonly TreeChange[],
): Map<RawPath, TreeEntry> {
  const entries = new Map(before);
  for (const { path, mode, oid } of changes) {
    if (mode === null || oid === null) entries.delete(path);
    else entries.set(path, { path, mode, oid });
  }
  const hasNew = changes.some(({ path, oid }) => oid !== null && !before.has(path));
  return hasNew ? new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1))) : entries;
}
