import { planTrees } from "./plan-trees.ts";
import type { RawPath } from "./raw-path.ts";
import type { TreeChange } from "./tree.ts";
import type { Listing, TreeEntry } from "./tree-listing.ts";

/** The listing of the tree that these changes make of another, without asking git: what is the same is shared. */
export function deriveListing(from: Listing, changes: readonly TreeChange[], format: "sha1" | "sha256"): Listing {
  const plan = planTrees(from, changes, format);
  const directories = new Map(from.directories);
  for (const path of plan.emptied) directories.delete(path);
  for (const { path, oid, files, directories: below } of plan.trees) {
    directories.set(path, { oid, files, directories: below });
  }
  return { tree: plan.root, entries: entriesAfter(from.entries, changes), directories };
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
