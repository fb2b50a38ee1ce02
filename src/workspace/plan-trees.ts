import { Fault } from "../protocol/failure.ts";
import { objectId } from "./loose-objects.ts";
import { joinRaw, parentOf, type RawPath, rawOf, toShown } from "./raw-path.ts";
import type { TreeChange } from "./tree.ts";
import { type Child, editTree, encodeTree, type TreeBody } from "./tree-body.ts";
import { type Directory, type Listing, withAncestors } from "./tree-listing.ts";

/**
 * Which tree objects a set of changes makes, deepest first, with their ids. Pure: it reads a listing and writes nothing.
 * It never drops a path in silence: a file and a directory of one name are refused.
 */
export interface TreePlan {
  /** The id of the resulting root tree. */
  root: string;
  /** The directories that become another tree, deepest first. Empty when nothing changes. */
  trees: PlannedTree[];
  /** Directories with nothing left in them. */
  emptied: RawPath[];
}

export interface PlannedTree {
  path: RawPath;
  oid: string;
  /** The object, without its header. */
  bytes: Buffer;
  /** What becomes of the names in it; undefined: it goes. */
  edits: ReadonlyMap<string, Child | undefined>;
}

export function planTrees(listing: Listing, changes: readonly TreeChange[], format: "sha1" | "sha256"): TreePlan {
  const wanted = new Map(changes.map((change) => [change.path, change]));
  const touched = touchedDirectories(wanted.keys());
  const contents = new Map(touched.map((directory) => [directory, new Contents(listing, directory)]));
  for (const change of wanted.values()) place(contents, change);
  const built = build(touched, contents, format);
  const root = built.trees.at(-1)?.oid ?? listing.tree;
  return { root, ...(root === listing.tree ? { trees: [], emptied: [] } : built) };
}

/** What is right in a directory, as it was and with what becomes of it. */
class Contents {
  readonly #listing: Listing;
  readonly #path: RawPath;
  readonly edits = new Map<string, Child | undefined>();
  /** How many names are in it now. */
  count: number;

  constructor(listing: Listing, path: RawPath) {
    this.#listing = listing;
    this.#path = path;
    const known = listing.directories.get(path);
    this.count = known ? known.files.length + known.directories.length : 0;
  }

  get(name: string): Child | undefined {
    return this.edits.has(name) ? this.edits.get(name) : childAt(this.#listing, joinRaw(this.#path, name));
  }

  set(name: string, child: Child | undefined): void {
    this.count += Number(child !== undefined) - Number(this.get(name) !== undefined);
    this.edits.set(name, child);
  }

  tree(format: "sha1" | "sha256"): PlannedTree {
    const bytes = editTree(bodyOf(this.#listing, this.#path, format), this.edits, format);
    return { path: this.#path, oid: objectId("tree", bytes, format), bytes, edits: this.edits };
  }
}

function childAt(listing: Listing, path: RawPath): Child | undefined {
  const directory = listing.directories.get(path);
  return directory ? { mode: "40000", oid: directory.oid } : listing.entries.get(path);
}

const bodies = new WeakMap<Directory, TreeBody>();

/** Many tasks change a file each of one large directory: it is put together once. */
function bodyOf(listing: Listing, path: RawPath, format: "sha1" | "sha256"): TreeBody {
  const known = listing.directories.get(path);
  const body = (known && bodies.get(known)) ?? encodeTree(known ? childrenOf(listing, known) : [], format);
  if (known) bodies.set(known, body);
  return body;
}

function* childrenOf(listing: Listing, { files, directories }: Directory): Generator<[string, Child]> {
  for (const path of [...files, ...directories]) {
    const child = childAt(listing, path);
    if (child) yield [nameOf(path), child];
  }
}

/** Deepest first, so that each directory's id is known when its parent needs it. */
function build(
  touched: readonly RawPath[],
  contents: ReadonlyMap<RawPath, Contents>,
  format: "sha1" | "sha256",
): Omit<TreePlan, "root"> {
  const trees: PlannedTree[] = [];
  const emptied: RawPath[] = [];
  for (const directory of touched) {
    const content = contents.get(directory);
    const isKept = directory === "" || (content !== undefined && content.count > 0);
    const tree = isKept ? content?.tree(format) : undefined;
    if (tree) trees.push(tree);
    else emptied.push(directory);
    if (directory !== "") settle(contents, directory, tree?.oid);
  }
  return { trees, emptied };
}

/** Every directory on the way to a changed path, deepest first, the root last; none without a change. */
function touchedDirectories(paths: Iterable<RawPath>): RawPath[] {
  const depths = new Map<RawPath, number>();
  for (const path of paths) {
    depths.set(rawOf(""), 0);
    let depth = 0;
    for (const step of withAncestors(path)) if (step !== path) depths.set(step, ++depth);
  }
  return [...depths].sort(([, a], [, b]) => b - a).map(([directory]) => directory);
}

function place(contents: ReadonlyMap<RawPath, Contents>, change: TreeChange): void {
  const content = contents.get(parentOf(change.path));
  const name = nameOf(change.path);
  if (!content) return;
  const isDirectory = content.get(name)?.mode === "40000";
  if (change.mode === null || change.oid === null) {
    if (!isDirectory) content.set(name, undefined);
    return;
  }
  refuseName(change.path);
  // A directory may give way to a file when the changes empty it: whether they do shows when it is settled.
  if (isDirectory && !contents.has(change.path)) throw clash(change.path);
  content.set(name, { mode: change.mode, oid: change.oid });
}

/** Hangs a finished directory into its parent; `oid` is undefined when nothing is left in it. */
function settle(contents: ReadonlyMap<RawPath, Contents>, directory: RawPath, oid: string | undefined): void {
  const siblings = contents.get(parentOf(directory));
  const name = nameOf(directory);
  const there = siblings?.get(name);
  const isFile = there !== undefined && there.mode !== "40000";
  if (oid === undefined) {
    if (!isFile) siblings?.set(name, undefined);
    return;
  }
  if (isFile) throw clash(directory);
  siblings?.set(name, { mode: "40000", oid });
}

function nameOf(path: RawPath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function refuseName(path: RawPath): void {
  const isBad = path.split("/").some((name) => name === "" || name === "." || name === ".." || /^\.git$/i.test(name));
  if (isBad || path.includes("\0"))
    throw new Fault("git", `no tree may hold the path ${JSON.stringify(toShown(path))}`);
}

function clash(path: RawPath): Fault {
  return new Fault("conflict", `${toShown(path)} would be a file and a directory at once`);
}
