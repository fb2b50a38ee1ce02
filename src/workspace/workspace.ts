import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { Fetched } from "../protocol/thread.ts";
import { fetchFrom, namesBelow } from "./base-files.ts";
import type { Change } from "./diff.ts";
import { type Inflated, type Inflation, inflate } from "./inflate.ts";
import { Looks, mostReadAgain } from "./looks.ts";
import { learn, type OpenWorkspace, put } from "./open-workspace.ts";
import { type RawPath, rawOf, toBytes, toRaw } from "./raw-path.ts";
import { removeFolder } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { restoreTree } from "./restore-tree.ts";
import { type JudgeChanges, type Settled, settle } from "./settle.ts";
import { takeRaw, takeTree } from "./take-tree.ts";
import { entriesBelow, type Listing, type TreeEntry } from "./tree-listing.ts";
import { batched, oneAtATime } from "./turns.ts";
import { Unsettled, untilUnsettled } from "./unsettled.ts";

/**
 * The files of one run: those of its scope as ordinary files, the rest of the base on demand. There is no `.git` in it,
 * and what is in it decides the tree: nothing an agent says does.
 */
export interface Workspace {
  /** The files. */
  root: string;
  /** Beside `root` on the same disk, for files on their way in. */
  scratch: string;
  /**
   * What the base holds at a path that is not in the workspace. A path that was put into the workspace and is gone from
   * it is `nothing`: it was deleted.
   */
  fetch(path: string, maxBytes: number): Promise<Fetched>;
  /** Puts a file of the base into the workspace, if it is not there, and says what the base holds (no `too_large`). */
  materialise(path: string): Promise<Fetched>;
  /** Paths of base files below a directory ("" is all) that are not in the workspace; only names that are UTF-8. */
  names(prefix: string, max: number): Promise<{ names: string[]; isComplete: boolean }>;
  /** Tools were told to write these. */
  wrote(paths: readonly string[]): void;
  /** The tree that the base and the workspace now make. May be asked for more than once. Throws `Unsettled`. */
  takeTree(): Promise<TakenTree>;
  /** Makes it a whole checkout for commands. The first call counts. */
  inflate(wanted: Inflation): Promise<void>;
  /** Runs a command's work in the whole checkout, and then puts back what `judge` speaks against, also if it threw. */
  settleAfter<T>(work: () => Promise<T>, judge: JudgeChanges): Promise<{ value: T; settled: Settled }>;
  /** Brings it from one tree to another, as what is not done again left it. False where it is not what was said. */
  restore(trees: { from: string; to: string }): Promise<boolean>;
  dispose(): Promise<void>;
}

export interface TakenTree {
  tree: string;
  /** Against the base tree, by path. */
  touched: Change[];
  /** New files that .gitignore covers: listed, not taken. At most 1,000. */
  ignored: string[];
  /** What no tree of ours takes: `.git`, devices, links to the outside. At most 1,000. */
  refused: { path: string; rule?: "secret"; reason: string }[];
}

/**
 * Makes `directory` (which must not exist) hold `files`, and all files below `directories` ("" is the whole tree), of
 * `tree`. Names that the tree does not have are passed over, and what `isSecret` is taken into no tree.
 */
export async function createWorkspace(
  repository: Repository,
  wanted: Pick<OpenWorkspace, "isSecret"> & {
    directory: string;
    tree: string;
    files?: readonly string[];
    directories?: readonly string[];
  },
): Promise<Workspace> {
  const listing = await repository.listings.get(wanted.tree);
  const root = join(wanted.directory, "files");
  const scratch = join(wanted.directory, "scratch");
  await mkdir(root, { recursive: true });
  await mkdir(scratch);
  const open = {
    repository,
    listing,
    root,
    indexFile: join(wanted.directory, "index"),
    looks: new Looks(join(wanted.directory, "clock")),
    held: new Set<RawPath>(),
    withheld: new Set<RawPath>(),
    edited: new Set<RawPath>(),
    isSecret: wanted.isSecret,
  };
  const chosen = select(listing, wanted.files ?? [], wanted.directories ?? []);
  await put(open, chosen);
  if (chosen.length > mostReadAgain) await learn(open, chosen);
  const turn = oneAtATime();
  const settled = untilUnsettled();
  let inflated: Inflated | undefined;
  const materialise = batched((entries: TreeEntry[]) => turn(() => bringIn(open, entries)));
  return {
    root,
    scratch,
    fetch: async (path, maxBytes) => {
      const raw = toRaw(path);
      const isDeleted = open.held.has(raw) && !(await isThere(root, raw));
      return isDeleted ? { found: "nothing" } : fetchFrom(repository, listing, raw, maxBytes);
    },
    materialise: async (path) => {
      const entry = listing.entries.get(toRaw(path));
      if (entry && entry.mode !== "160000") await materialise(entry);
      return fetchFrom(repository, listing, toRaw(path), Number.POSITIVE_INFINITY);
    },
    names: async (prefix, max) => namesBelow(listing, { prefix: toRaw(prefix), max, without: open.held }),
    wrote: (paths) => {
      for (const path of paths) open.edited.add(toRaw(path));
    },
    takeTree: () => turn(() => settled(async () => takeTree(open, await inflated?.overlooked()))),
    inflate: (how) =>
      turn(async () => {
        inflated ??= await inflate(open, how);
      }),
    settleAfter: (work, judge) => turn(() => settled(() => settleAfter(open, { inflated, work, judge }))),
    restore: (trees) => turn(() => restoreTree(open, trees, async () => inflated?.overlooked())),
    dispose: () =>
      turn(async () => {
        await inflated?.dispose();
        await removeFolder(wanted.directory);
      }),
  };
}

function select(listing: Listing, files: readonly string[], directories: readonly string[]): TreeEntry[] {
  const chosen = new Map<RawPath, TreeEntry>();
  for (const file of files) {
    const entry = listing.entries.get(toRaw(file));
    if (entry) chosen.set(entry.path, entry);
  }
  for (const directory of directories) {
    const path = rawOf(toRaw(directory).replace(/\/+$/, ""));
    for (const entry of entriesBelow(listing, path)) chosen.set(entry.path, entry);
  }
  return [...chosen.values()].filter((entry) => entry.mode !== "160000");
}

async function settleAfter<T>(
  open: OpenWorkspace,
  { inflated, work, judge }: { inflated: Inflated | undefined; work: () => Promise<T>; judge: JudgeChanges },
): Promise<{ value: T; settled: Settled }> {
  if (!inflated) throw new Fault("internal", "a command was to run in a workspace that is no whole checkout");
  const { overlooked } = inflated;
  await inflated.restoreGit();
  const before = await takeRaw(open, await overlooked());
  try {
    const value = await work();
    return { value, settled: await settle(open, { before, judge, overlooked }) };
  } catch (thrown) {
    if (thrown instanceof Unsettled) throw thrown;
    await settle(open, { before, judge, overlooked });
    throw thrown;
  }
}

/** What already stands at a path is the agent's and stays. */
async function bringIn(open: OpenWorkspace, entries: readonly TreeEntry[]): Promise<void> {
  const missing: TreeEntry[] = [];
  for (const entry of entries) {
    if (open.held.has(entry.path)) continue;
    if (await isThere(open.root, entry.path)) open.held.add(entry.path);
    else missing.push(entry);
  }
  await put(open, missing);
}

async function isThere(root: string, path: RawPath): Promise<boolean> {
  const bytes = Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
  return lstat(bytes).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return false;
      throw new Fault("internal", `cannot look at ${path} in the workspace: ${cause.message}`, { cause });
    },
  );
}
