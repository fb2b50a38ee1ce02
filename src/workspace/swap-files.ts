import { lstat, mkdir, rename, rm, rmdir } from "node:fs/promises";
import { Fault } from "../protocol/failure.ts";
import { inCheckout } from "./on-disk.ts";
import { parentOf, type RawPath, toShown } from "./raw-path.ts";
import type { StagedStep } from "./stage-files.ts";
import { withAncestors } from "./tree-listing.ts";

/**
 * Puts staged files in place of the user's by renames alone, removals first. When one cannot be done, those that were
 * are taken back in reverse order, and the fault names the path.
 */
export async function swapFiles(top: string, stage: string, steps: readonly StagedStep[]): Promise<void> {
  const swap: Swap = { top, old: `${stage}/old`, undo: [] };
  for (const [index, step] of steps.entries()) await attempt(swap, step, () => takeAway(swap, step, index));
  const arriving = steps.filter(({ from }) => from !== undefined);
  for (const step of arriving) await attempt(swap, step, () => putInPlace(swap, step));
}

interface Swap {
  top: string;
  /** Where the user's files wait until all is done. */
  old: string;
  undo: (() => Promise<void>)[];
}

async function attempt(swap: Swap, { path }: StagedStep, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    for (const back of swap.undo.toReversed()) await back();
    if (
      cause instanceof Error &&
      "code" in cause &&
      !/EEXIST|ENOTEMPTY|EISDIR|ENOTDIR|conflict/.test(String(cause.code))
    ) {
      throw cause;
    }
    throw new Fault("conflict", `nothing was applied to ${swap.top}: ${toShown(path)} is in the way of the change`, {
      remedy: "commit, stash or move what is there, or publish to a branch instead",
      cause,
    });
  }
}

async function takeAway(swap: Swap, step: StagedStep, index: number): Promise<void> {
  const at = inCheckout(swap.top, step.path);
  const found = await lstat(at).catch(absent);
  if (!found || found.isDirectory()) return;
  const old = `${swap.old}/${index}`;
  await rename(at, old);
  swap.undo.push(() => rename(old, at));
  if (step.from === undefined) await dropEmptyParents(swap, step.path);
}

async function dropEmptyParents(swap: Swap, path: RawPath): Promise<void> {
  for (let directory = parentOf(path); directory !== ""; directory = parentOf(directory)) {
    const at = inCheckout(swap.top, directory);
    const isGone = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
    swap.undo.push(async () => void (await mkdir(at)));
  }
}

async function putInPlace(swap: Swap, { path, from = "" }: StagedStep): Promise<void> {
  for (const directory of withAncestors(parentOf(path))) if (directory !== "") await makeDirectory(swap, directory);
  const at = inCheckout(swap.top, path);
  await dropEmptyDirectory(swap, at);
  if (await lstat(at).catch(absent)) throw new Fault("conflict", `${toShown(path)} is there`);
  await rename(inCheckout(from, path), at);
  swap.undo.push(() => rm(at, { force: true }));
}

async function makeDirectory(swap: Swap, directory: RawPath): Promise<void> {
  const at = inCheckout(swap.top, directory);
  const found = await lstat(at).catch(absent);
  if (found?.isDirectory()) return;
  await mkdir(at);
  swap.undo.push(() => rmdir(at));
}

async function dropEmptyDirectory(swap: Swap, at: Buffer): Promise<void> {
  const found = await lstat(at).catch(absent);
  if (!found?.isDirectory()) return;
  await rmdir(at);
  swap.undo.push(async () => void (await mkdir(at)));
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR") throw cause;
  return undefined;
}
