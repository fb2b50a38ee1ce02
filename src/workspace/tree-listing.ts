import type { Git } from "./git.ts";
import { parentOf, type RawPath, rawOf } from "./raw-path.ts";

/**
 * All the entries of one tree, read once and kept for the few trees in use. A listing never changes: a tree is its id.
 */
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

const keptListings = 6;

export class ListingCache {
  readonly #git: Git;
  readonly #gitDir: string;
  readonly #kept = new Map<string, Promise<Listing>>();

  constructor(git: Git, gitDir: string) {
    this.#git = git;
    this.#gitDir = gitDir;
  }

  /** The listing of a tree, or of the tree of a commit. Throws Fault `git` when there is none. */
  async get(treeish: string): Promise<Listing> {
    const kept = this.#kept.get(treeish);
    const listing = kept ?? readListing(this.#git, this.#gitDir, treeish);
    // The most recently used one is the last to go.
    this.#kept.delete(treeish);
    this.#kept.set(treeish, listing);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptListings && oldest !== undefined) this.#kept.delete(oldest);
    try {
      return await listing;
    } catch (cause) {
      this.#kept.delete(treeish);
      throw cause;
    }
  }
}

async function readListing(git: Git, gitDir: string, treeish: string): Promise<Listing> {
  const [root, listed] = await Promise.all([
    git(["rev-parse", "--verify", "--end-of-options", `${treeish}^{tree}`], { gitDir }),
    git(["ls-tree", "-r", "-t", "-z", "--full-tree", treeish], { gitDir }),
  ]);
  return parseListing(root.stdout.toString().trim(), listed.stdout.toString("latin1"));
}

function parseListing(tree: string, text: string): Listing {
  const entries = new Map<RawPath, TreeEntry>();
  const directories = new Map<RawPath, Directory>([[rawOf(""), { oid: tree, files: [], directories: [] }]]);
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\0", at);
    const tab = text.indexOf("\t", at);
    const path = rawOf(text.slice(tab + 1, end));
    const [mode = "", type, oid = ""] = text.slice(at, tab).split(" ");
    const parent = directories.get(parentOf(path));
    if (type === "tree") {
      directories.set(path, { oid, files: [], directories: [] });
      parent?.directories.push(path);
    } else {
      entries.set(path, { path, mode, oid });
      parent?.files.push(path);
    }
    at = end + 1;
  }
  return { tree, entries, directories };
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
