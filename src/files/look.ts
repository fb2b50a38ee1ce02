import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fold } from "../permission/case-fold.ts";
import type { Seen } from "./contain.ts";

/** What stands at a path below the root. Directories are remembered: one look is for one call, or one batch. */
export type Look = (path: string) => Seen;

/** Where case is ignored, a name is answered as the folder spells it. Throws what the disk throws. */
export function openLook(root: string, options: { isCaseInsensitive: boolean }): Look {
  const directories = new Map<string, Seen>();
  const spellings = new Map<string, ReadonlyMap<string, string>>();
  return (path) => {
    const known = directories.get(path);
    if (known) return known;
    const name = options.isCaseInsensitive ? spell(root, path, spellings) : undefined;
    const seen = seeAt(join(root, parentOf(path), name ?? nameOf(path)), name);
    if (seen.kind === "directory") directories.set(path, seen);
    return seen;
  };
}

/** One `lstat`, and the target of a link. What is not there, or could not be, is `missing`. */
export function seeAt(absolute: string, name?: string): Seen {
  const spelled = name === undefined ? {} : { name };
  try {
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    if (!stat) return { kind: "missing" };
    if (stat.isSymbolicLink()) return { kind: "link", target: readlinkSync(absolute), ...spelled };
    if (stat.isFile()) return { kind: "file", ...spelled };
    return { kind: stat.isDirectory() ? "directory" : "other", ...spelled };
  } catch (thrown) {
    if (isMissing(thrown)) return { kind: "missing" };
    throw thrown;
  }
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function isMissing(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG";
}

/** The spelling of the last name in its folder: the exact one if it is there, else one that differs only in case. */
function spell(root: string, path: string, spellings: Map<string, ReadonlyMap<string, string>>): string | undefined {
  const parent = parentOf(path);
  const known = spellings.get(parent) ?? readSpellings(join(root, parent));
  spellings.set(parent, known);
  const name = nameOf(path);
  return known.get(`=${name}`) ?? known.get(`~${fold(name)}`);
}

/** Two maps in one: exact names behind a `=`, folded ones behind a `~`. */
function readSpellings(directory: string): ReadonlyMap<string, string> {
  const spellings = new Map<string, string>();
  for (const name of namesIn(directory).toSorted()) {
    spellings.set(`=${name}`, name);
    if (!spellings.has(`~${fold(name)}`)) spellings.set(`~${fold(name)}`, name);
  }
  return spellings;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}
