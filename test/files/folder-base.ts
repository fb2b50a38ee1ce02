import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BaseReader } from "../../src/files/base-view.ts";
import type { Fetched } from "../../src/protocol/thread.ts";

/** A base that is a folder: what a sparse workspace at `root` leaves out. Links in it are never followed. */
export function folderBase(folder: string, root: string): BaseReader & { materialised: string[] } {
  const materialised: string[] = [];
  const held = new Set<string>();
  return {
    materialised,
    async fetch(path, want) {
      const found = isBelowNoDirectory(folder, path) ? { found: "nothing" as const } : fetchOne(join(folder, path));
      if (want === "read" || found.found !== "file" || held.has(path)) return found;
      materialised.push(path);
      held.add(path);
      mkdirSync(dirname(join(root, path)), { recursive: true });
      if (!existsSync(join(root, path))) cpSync(join(folder, path), join(root, path));
      return found;
    },
    async names(prefix) {
      return { names: namesBelow(folder, prefix).filter((name) => !held.has(name)), isComplete: true };
    },
  };
}

export const emptyBase: BaseReader = {
  fetch: async () => ({ found: "nothing" }),
  names: async () => ({ names: [], isComplete: true }),
};

function isBelowNoDirectory(folder: string, path: string): boolean {
  const names = path.split("/").slice(0, -1);
  return names.some((_, index) => {
    const above = join(folder, ...names.slice(0, index + 1));
    return !lstatSync(above, { throwIfNoEntry: false })?.isDirectory();
  });
}

function fetchOne(absolute: string): Fetched {
  const stat = lstatSync(absolute, { throwIfNoEntry: false });
  if (!stat) return { found: "nothing" };
  if (stat.isSymbolicLink()) return { found: "link", target: readlinkSync(absolute) };
  if (stat.isDirectory()) return { found: "directory" };
  return { found: "file", bytes: readFileSync(absolute), is_executable: (stat.mode & 0o100) !== 0 };
}

function namesBelow(folder: string, prefix: string): string[] {
  const stat = lstatSync(join(folder, prefix), { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return [];
  return readdirSync(join(folder, prefix)).flatMap((name) => {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    return lstatSync(join(folder, path)).isDirectory() ? namesBelow(folder, path) : [path];
  });
}
