import { Fault } from "../protocol/failure.ts";
import type { CatFile } from "./cat-file.ts";
import { deriveListing } from "./derive-listing.ts";
import type { Git } from "./git.ts";
import { parentOf, type RawPath, rawOf, toShown } from "./raw-path.ts";
import type { TreeChange } from "./tree.ts";
import type { Directory, Listing, TreeEntry } from "./tree-listing.ts";

/**
 * Listings of the few trees in use, read once. A tree that was written here is not read back: its listing follows from
 * the one it was made of, if that is still at hand.
 */
export class ListingCache {
  readonly #source: Source;
  readonly #kept = new Map<string, Promise<Listing>>();
  readonly #recipes = new Map<string, Recipe>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** The listing of a tree, or of the tree of a commit. Throws Fault `git` when there is none. */
  async get(treeish: string): Promise<Listing> {
    const listing = this.#kept.get(treeish) ?? this.#make(treeish);
    keep(this.#kept, treeish, listing, keptListings);
    try {
      return await listing;
    } catch (cause) {
      this.#kept.delete(treeish);
      throw cause;
    }
  }

  /** Says how a tree was made, so that it need not be listed by git. */
  derives(tree: string, recipe: Recipe): void {
    if (tree !== recipe.from) keep(this.#recipes, tree, recipe, keptRecipes);
  }

  #make(treeish: string): Promise<Listing> {
    const recipe = this.#recipes.get(treeish);
    const isNear = recipe && this.#kept.has(recipe.from);
    return isNear ? this.#derive(recipe) : readListing(this.#source, treeish);
  }

  async #derive({ from, changes }: Recipe): Promise<Listing> {
    return deriveListing(await this.get(from), changes, this.#source.objectFormat);
  }
}

const keptListings = 6;
const keptRecipes = 64;

/** How a tree came about, for when its listing is wanted. */
interface Recipe {
  from: string;
  changes: readonly TreeChange[];
}

/** The most recently used one is the last to go. */
function keep<T>(kept: Map<string, T>, key: string, value: T, most: number): void {
  kept.delete(key);
  kept.set(key, value);
  const [oldest] = kept.keys();
  if (kept.size > most && oldest !== undefined) kept.delete(oldest);
}

interface Source {
  git: Git;
  gitDir: string;
  objects: CatFile;
  objectFormat: "sha1" | "sha256";
}

async function readListing({ git, gitDir, objects }: Source, treeish: string): Promise<Listing> {
  const root = await objects.info(`${treeish}^{tree}`);
  if (!root) throw new Fault("git", `there is no tree ${treeish} in ${gitDir}`);
  const listed = await git(["ls-tree", "-r", "-t", "-z", "--full-tree", root.oid], { gitDir });
  return parseListing(root.oid, listed.stdout.toString("latin1"));
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
    if (!parent || isUnholdable(path) || entries.has(path) || directories.has(path)) throw unholdable(tree, path);
    if (type === "tree") {
      directories.set(path, { oid, files: [], directories: [] });
      parent.directories.push(path);
    } else {
      entries.set(path, { path, mode, oid });
      parent.files.push(path);
    }
    at = end + 1;
  }
  return { tree, entries, directories };
}

/**
 * A name that git would never check out (verify_path in its read-cache.c). Such a tree can only be made by hand, and
 * everything that writes files by a listing relies on there being none.
 */
function isUnholdable(path: RawPath): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name === "" || name === "." || name === ".." || (name.length === 4 && name.toLowerCase() === ".git");
}

function unholdable(tree: string, path: RawPath): Fault {
  const message = `tree ${tree} holds ${JSON.stringify(toShown(path))}, by a name that no checkout can have, or twice`;
  return new Fault("unsupported_repository", message, {
    remedy: "such a tree was made by hand; look at it with git fsck, and take another commit as the base",
  });
}
