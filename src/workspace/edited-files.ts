import { lstat } from "node:fs/promises";
import type { OpenWorkspace } from "./open-workspace.ts";
import { parentOf, type RawPath, toBytes } from "./raw-path.ts";
import { withAncestors } from "./tree-listing.ts";

/**
 * What becomes of files that a tool was told to write, and that git ignores in a whole checkout: they were acknowledged,
 * so they are never passed over without a word. What was taken before it was ignored stays; the rest is told.
 */
export async function editedAmong(
  open: OpenWorkspace,
  ignored: readonly RawPath[],
): Promise<{ kept: RawPath[]; told: RawPath[] }> {
  const passedOver = new Set(ignored);
  const isPassedOver = (path: RawPath) => [...withAncestors(path)].some((step) => passedOver.has(step));
  const kept: RawPath[] = [];
  const told: RawPath[] = [];
  for (const path of open.edited ?? []) {
    if (open.listing.entries.has(path) || !isPassedOver(path) || !(await isFileThere(open.root, path))) continue;
    (open.held.has(path) ? kept : told).push(path);
  }
  return { kept, told };
}

/** Through no link. */
async function isFileThere(root: string, path: RawPath): Promise<boolean> {
  for (const step of withAncestors(parentOf(path))) {
    if (step !== "" && !(await lookAt(root, step))?.isDirectory()) return false;
  }
  const stats = await lookAt(root, path);
  return stats !== undefined && (stats.isFile() || stats.isSymbolicLink());
}

function lookAt(root: string, path: RawPath) {
  return lstat(Buffer.concat([Buffer.from(`${root}/`), toBytes(path)])).catch(() => undefined);
}
