import { lstatSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { parentOf } from "./look.ts";

/**
 * Removes a file or a link (never what it points to) at a canonical path, and the directories that are empty then, as
 * git does not keep those. Directories with content are refused. Throws what the disk throws.
 */
export function removeFile(root: string, path: string): { mode: string } | { refused: string } {
  const absolute = join(root, path);
  const stat = lstatSync(absolute, { throwIfNoEntry: false });
  if (!stat) return { refused: `${JSON.stringify(path)} does not exist` };
  if (stat.isDirectory()) return { refused: `${JSON.stringify(path)} is a directory: delete its files one by one` };
  unlinkSync(absolute);
  pruneEmpty(root, parentOf(path));
  if (stat.isSymbolicLink()) return { mode: "120000" };
  return { mode: (stat.mode & 0o100) !== 0 ? "100755" : "100644" };
}

function pruneEmpty(root: string, directory: string): void {
  for (let each = directory; each !== ""; each = parentOf(each)) {
    try {
      rmdirSync(join(root, each));
    } catch {
      return;
    }
  }
}
