import { chmodSync, statSync } from "node:fs";

/**
 * A command may take away, from everybody, the right to enter its own tree. Whoever compares the tree afterwards, and
 * the next command, would be shut out with it: so the tree's own folder has its mode back when `work` is over. What
 * lies below is the command's affair, and is told as unreadable.
 */
export async function keepEntrance<T>(tree: string, work: () => Promise<T>): Promise<T> {
  const before = modeOf(tree);
  try {
    return await work();
  } finally {
    if (before !== undefined) giveBack(tree, before | owners);
  }
}

/** The permission bits of inode(7). */
const permissions = 0o7777;
const owners = 0o700;

function modeOf(folder: string): number | undefined {
  try {
    return statSync(folder).mode & permissions;
  } catch {
    return undefined;
  }
}

function giveBack(tree: string, mode: number): void {
  if (modeOf(tree) === mode) return;
  try {
    chmodSync(tree, mode);
  } catch {
    // It is gone, or somebody else's: whoever looks at the tree says so.
  }
}
