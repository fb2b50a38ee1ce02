import { createHash } from "node:crypto";
import { Fault } from "../protocol/failure.ts";
import { joinRaw, parentOf, type RawPath, rawOf, toShown } from "./raw-path.ts";
import type { TreeChange } from "./tree.ts";
import { type Listing, withAncestors } from "./tree-listing.ts";

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
  /** The input of `git mktree -z` for it (latin1). */
  lines: string;
  /** Paths of what is right in it, in git's order. */
  files: RawPath[];
  directories: RawPath[];
}

interface Child {
  mode: string;
  oid: string;
}

export function planTrees(listing: Listing, changes: readonly TreeChange[], format: "sha1" | "sha256"): TreePlan {
  const wanted = new Map(changes.map((change) => [change.path, change]));
  const touched = touchedDirectories(wanted.keys());
  const contents = new Map(touched.map((directory) => [directory, childrenOf(listing, directory)]));
  for (const change of wanted.values()) place(contents, change);
  const built = build(touched, contents, format);
  const root = built.trees.at(-1)?.oid ?? listing.tree;
  return { root, ...(root === listing.tree ? { trees: [], emptied: [] } : built) };
}

/** Deepest first, so that each directory's id is known when its parent needs it. */
function build(
  touched: readonly RawPath[],
  contents: Map<RawPath, Map<string, Child>>,
  format: "sha1" | "sha256",
): Omit<TreePlan, "root"> {
  const trees: PlannedTree[] = [];
  const emptied: RawPath[] = [];
  for (const directory of touched) {
    const children = contents.get(directory) ?? new Map<string, Child>();
    const tree = treeObject(directory, children, format);
    const isKept = directory === "" || children.size > 0;
    if (isKept) trees.push(tree);
    else emptied.push(directory);
    if (directory !== "") settle(contents, directory, isKept ? tree.oid : undefined);
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

function childrenOf(listing: Listing, directory: RawPath): Map<string, Child> {
  const children = new Map<string, Child>();
  const known = listing.directories.get(directory);
  for (const path of known?.files ?? []) {
    const entry = listing.entries.get(path);
    if (entry) children.set(nameOf(path), { mode: entry.mode, oid: entry.oid });
  }
  for (const path of known?.directories ?? []) {
    children.set(nameOf(path), { mode: "40000", oid: listing.directories.get(path)?.oid ?? "" });
  }
  return children;
}

function place(contents: Map<RawPath, Map<string, Child>>, change: TreeChange): void {
  const children = contents.get(parentOf(change.path));
  const name = nameOf(change.path);
  if (!children) return;
  if (change.mode === null || change.oid === null) {
    if (children.get(name)?.mode !== "40000") children.delete(name);
    return;
  }
  refuseName(change.path);
  const isDirectory = children.get(name)?.mode === "40000";
  // A directory may give way to a file when the changes empty it: whether they do shows when it is settled.
  if (isDirectory && !contents.has(change.path)) throw clash(change.path);
  children.set(name, { mode: change.mode, oid: change.oid });
}

/** Hangs a finished directory into its parent; `oid` is undefined when nothing is left in it. */
function settle(contents: Map<RawPath, Map<string, Child>>, directory: RawPath, oid: string | undefined): void {
  const siblings = contents.get(parentOf(directory));
  const name = nameOf(directory);
  const there = siblings?.get(name);
  const isFile = there !== undefined && there.mode !== "40000";
  if (oid === undefined) {
    if (!isFile) siblings?.delete(name);
    return;
  }
  if (isFile) throw clash(directory);
  siblings?.set(name, { mode: "40000", oid });
}

function treeObject(path: RawPath, children: ReadonlyMap<string, Child>, format: "sha1" | "sha256"): PlannedTree {
  const key = (name: string, child: Child): string => (child.mode === "40000" ? `${name}/` : name);
  const sorted = [...children].sort((a, b) => (key(...a) < key(...b) ? -1 : 1));
  const body = Buffer.concat(
    sorted.flatMap(([name, child]) => [
      Buffer.from(`${child.mode} ${name}\0`, "latin1"),
      Buffer.from(child.oid, "hex"),
    ]),
  );
  const oid = createHash(format).update(`tree ${body.length}\0`).update(body).digest("hex");
  const lines = sorted.map(([name, { mode, oid: id }]) => `${mode.padStart(6, "0")} ${typeOf(mode)} ${id}\t${name}\0`);
  const [directories, files] = [true, false].map((wanted) =>
    sorted.flatMap(([name, { mode }]) => ((mode === "40000") === wanted ? [joinRaw(path, name)] : [])),
  );
  return { path, oid, lines: lines.join(""), files: files ?? [], directories: directories ?? [] };
}

function typeOf(mode: string): string {
  if (mode === "40000") return "tree";
  return mode === "160000" ? "commit" : "blob";
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
