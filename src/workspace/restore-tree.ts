import { changesOf, type Version } from "./diff.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import type { Overlooked } from "./overlooked.ts";
import { putVersions } from "./put-versions.ts";
import type { RawPath } from "./raw-path.ts";
import { takeRaw } from "./take-tree.ts";

/**
 * Does once more what a command did, as far as git knows it, without running it: from one tree to another. False where the
 * workspace stands at another tree than that, before it or afterwards.
 */
export async function restoreTree(
  open: OpenWorkspace,
  { from, to }: { from: string; to: string },
  overlooked: () => Promise<Overlooked | undefined>,
): Promise<boolean> {
  const before = await takeRaw(open, await overlooked());
  if (before.tree !== from) return false;
  if (from === to) return true;
  const versions = new Map<RawPath, Version>();
  const paths: RawPath[] = [];
  for (const { path, after } of await changesOf(open.repository, from, to)) {
    paths.push(path);
    if (after) versions.set(path, after);
    // From here on the workspace is the truth, also where it holds nothing.
    open.held.add(path);
  }
  await putVersions(open, paths, versions);
  const after = await takeRaw(open, await overlooked());
  return after.tree === to;
}
