import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCheckout } from "./checkout.ts";
import { indexFile as indexOf } from "./index-file.ts";
import { Looks, lookAt } from "./looks.ts";
import { type RawPath, rawOf } from "./raw-path.ts";
import { removeFolder } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { takeTree } from "./take-tree.ts";
import { unknownTo } from "./unknown-files.ts";
import { learn, type OpenWorkspace, type TakenTree } from "./workspace.ts";

/**
 * A whole checkout that a command works in, and the tree it leaves. What git ignores, and what was prepared before the
 * command came and looks as it did, is not its work; the checkout's own index and HEAD, which it may change, are never
 * asked.
 */
export interface WorkingCheckout {
  root: string;
  /** The tree that the base and the command's work make. */
  takeTree(): Promise<TakenTree>;
  /** All that the tree does not hold, ignored or not; a folder with nothing else in it is named once. */
  untracked(): Promise<RawPath[]>;
  dispose(): Promise<void>;
}

/** `directory` must not exist. `prepare` brings in what the tree does not hold, such as installed dependencies. */
export async function createWorkingCheckout(
  repository: Repository,
  wanted: { directory: string; tree: string; prepare?: (root: string) => Promise<void> },
): Promise<WorkingCheckout> {
  const { directory, tree } = wanted;
  await mkdir(directory, { recursive: true });
  const checkout = await createCheckout(repository, { directory: join(directory, "files"), tree });
  const dispose = async () => {
    await checkout.dispose();
    await removeFolder(directory);
  };
  try {
    const { root } = checkout;
    const indexFile = await writeIndex(repository, tree, join(directory, "index"));
    await wanted.prepare?.(root);
    const prepared = wanted.prepare ? await unknownTo(repository, { root, indexFile, which: "not ignored" }) : [];
    const unchanged = await rememberLooks(root, prepared);
    const open = await openFull(repository, { tree, root, indexFile, directory });
    const take = async () => {
      const ignored = await unknownTo(repository, { root, indexFile, which: "ignored" });
      return takeTree(open, new Set([rawOf(".git"), ...(await unchanged()), ...ignored]));
    };
    const untracked = () => unknownTo(repository, { root, indexFile, which: "all" });
    return { root, takeTree: take, untracked, dispose };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}

/** An index of our own, so that no command can tell git what to overlook. */
async function writeIndex({ listings, objectFormat }: Repository, tree: string, file: string): Promise<string> {
  const { entries } = await listings.get(tree);
  await writeFile(file, indexOf([...entries.values()], objectFormat));
  return file;
}

/** Later tells which of these look as they do now. A folder (a repository inside) is not looked into. */
async function rememberLooks(root: string, paths: readonly RawPath[]): Promise<() => Promise<RawPath[]>> {
  const looks = await looksOf(root, paths);
  return async () => {
    const now = await looksOf(root, paths);
    return paths.filter((path) => looks.get(path) === now.get(path));
  };
}

async function looksOf(root: string, paths: readonly RawPath[]): Promise<Map<RawPath, string>> {
  const looks = new Map<RawPath, string>();
  await lookAt(root, paths, (path, stats) => {
    const { ino, size, mode, mtimeMs, ctimeMs } = stats;
    looks.set(path, stats.isDirectory() ? "folder" : [ino, size, mode, mtimeMs, ctimeMs].join());
  });
  return looks;
}

/** Everything of the tree is in it, and looks as it was brought out. */
async function openFull(
  repository: Repository,
  { tree, root, indexFile, directory }: { tree: string; root: string; indexFile: string; directory: string },
): Promise<OpenWorkspace> {
  const listing = await repository.listings.get(tree);
  const entries = [...listing.entries.values()].filter((entry) => entry.mode !== "160000");
  const held = new Set<RawPath>(entries.map((entry) => entry.path));
  const open = { repository, listing, root, indexFile, looks: new Looks(join(directory, "clock")), held };
  await learn(open, entries);
  return open;
}
