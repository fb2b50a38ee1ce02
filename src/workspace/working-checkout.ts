import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createCheckout } from "./checkout.ts";
import { writeIndex } from "./index-file.ts";
import { Looks } from "./looks.ts";
import { learn, type OpenWorkspace } from "./open-workspace.ts";
import { overlooking } from "./overlooked.ts";
import { type RawPath, rawOf } from "./raw-path.ts";
import { removeFolder } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { sweep } from "./sweep.ts";
import { takeTree } from "./take-tree.ts";
import { unknownTo } from "./unknown-files.ts";
import { overWorkOfOthers } from "./unsettled.ts";
import type { TakenTree } from "./workspace.ts";

/**
 * A whole checkout that a command works in, and the tree it leaves. What git ignores, and what was prepared before the
 * command came and looks as it did, is not its work; the checkout's own index and HEAD, which it may change, are never
 * asked.
 */
export interface WorkingCheckout {
  root: string;
  /** The tree that the base and the command's work make. */
  takeTree(): Promise<TakenTree>;
  /**
   * All that the tree does not hold, ignored or not, but for what would hold git up, which goes first; a folder with
   * nothing else in it is named once.
   */
  untracked(): Promise<RawPath[]>;
  dispose(): Promise<void>;
}

/** `directory` must not exist. `prepare` brings in what the tree does not hold, such as installed dependencies; what `isSecret` is taken into no tree. */
export async function createWorkingCheckout(
  repository: Repository,
  wanted: Pick<OpenWorkspace, "isSecret"> & {
    directory: string;
    tree: string;
    prepare?: (root: string) => Promise<void>;
  },
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
    const indexFile = join(directory, "index");
    await writeIndex(repository, tree, indexFile);
    const prepare = wanted.prepare && (() => wanted.prepare?.(root) ?? Promise.resolve());
    const overlooked = await overlooking(repository, { root, indexFile, hasGit: true }, prepare);
    const open = { ...(await openFull(repository, { tree, root, indexFile, directory })), isSecret: wanted.isSecret };
    const take = async () => takeTree(open, await overlooked());
    const untracked = async () => {
      // A setup's own repositories and links are its own; what would hold git up goes.
      await sweep(root, { ours: new Set([rawOf(".git")]), settled: new Set([rawOf("")]) });
      return overWorkOfOthers(() => unknownTo(repository, { root, indexFile, which: "all" }));
    };
    return { root, takeTree: take, untracked, dispose };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}

/** Everything of the tree is in it, and looks as it was brought out. */
async function openFull(
  repository: Repository,
  { tree, root, indexFile, directory }: { tree: string; root: string; indexFile: string; directory: string },
): Promise<OpenWorkspace> {
  const listing = await repository.listings.get(tree);
  const entries = [...listing.entries.values()].filter((entry) => entry.mode !== "160000");
  const held = new Set<RawPath>(entries.map((entry) => entry.path));
  const open = {
    repository,
    listing,
    root,
    indexFile,
    looks: new Looks(join(directory, "clock")),
    held,
    withheld: new Set<RawPath>(),
  };
  await learn(open, entries);
  return open;
}
