import { type RawPath, rawOf } from "./raw-path.ts";

/** All the entries of one tree, by path. A listing never changes: a tree is its id. */
export interface TreeEntry {
  path: RawPath;
  /** `100644`, `100755`, `120000` (symlink) or `160000` (submodule). */
  mode: string;
  oid: string;
  /** Bytes of a blob, where they were asked for. */
  size?: number;
}

export interface Listing {
  /** The id of the tree itself. */
  tree: string;
  /** Files, symlinks and submodules by path, in git's order. */
  entries: ReadonlyMap<RawPath, TreeEntry>;
  /** Directories by path; "" is the root. */
  directories: ReadonlyMap<RawPath, Directory>;
}

export interface Directory {
  oid: string;
  /** Paths of the files, symlinks and submodules right in it. */
  files: RawPath[];
  /** Paths of the directories right in it. */
  directories: RawPath[];
}

/** Every entry below a directory ("" is the root), in the order of its parts. */
export function* entriesBelow(listing: Listing, directory: RawPath): Generator<TreeEntry> {
  const found = listing.directories.get(directory);
  if (!found) return;
  for (const path of found.files) {
    const entry = listing.entries.get(path);
    if (entry) yield entry;
  }
  for (const path of found.directories) yield* entriesBelow(listing, path);
}

/** The path and each directory above it, from the root's child down. */
export function* withAncestors(path: RawPath): Generator<RawPath> {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
    yield rawOf(path.slice(0, slash));
  yield path;
}
