import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTick } from "node:timers/promises";
import type { BaseView } from "./base-view.ts";

/** One name of a directory. Links are shown as links, never followed. */
export interface Entry {
  path: string;
  kind: "file" | "directory" | "link" | "other";
}

export interface Listed {
  /** Sorted by path, by code unit. */
  entries: readonly Entry[];
  /** False when there were more than could be looked at. */
  isComplete: boolean;
  /** Names that are not UTF-8 and so cannot be asked for. */
  unreadableNames: number;
}

/** The names in one directory, of workspace and base together. */
export async function listDirectory(root: string, directory: string, base: BaseView): Promise<Listed> {
  const here = readNames(root, directory);
  const found = new Map(here.entries.map((entry) => [entry.path, entry]));
  const below = await base.names(directory);
  const depth = directory === "" ? 0 : directory.length + 1;
  for (const name of below.names) {
    const slash = name.indexOf("/", depth);
    const path = slash < 0 ? name : name.slice(0, slash);
    if (!found.has(path)) found.set(path, { path, kind: slash < 0 ? "file" : "directory" });
  }
  const entries = [...found.values()].toSorted(byPath);
  return { entries, isComplete: below.isComplete, unreadableNames: here.unreadable };
}

export interface WalkChoice {
  /** Whether to look into a directory. */
  enters(directory: string): boolean;
  /** Whether to take a file or link. */
  takes(path: string): boolean;
  /** Names taken at most. */
  most: number;
}

/** Directories between two looks at the event loop. */
const directoriesPerBreath = 32;

/** Files and links below a directory, of workspace and base together. */
export async function walkDirectory(
  root: string,
  directory: string,
  { base, choice }: { base: BaseView; choice: WalkChoice },
): Promise<Listed> {
  const { found, shadowed, unreadableNames } = await walkWorkspace(root, directory, choice);
  const below = await base.names(directory);
  for (const path of below.names) {
    if (!isShadowed(path, shadowed) && choice.takes(path)) found.set(path, { path, kind: "file" });
  }
  const entries = [...found.values()].toSorted(byPath);
  const isComplete = below.isComplete && entries.length <= choice.most;
  return { entries: entries.slice(0, choice.most), isComplete, unreadableNames };
}

async function walkWorkspace(root: string, directory: string, choice: WalkChoice) {
  const found = new Map<string, Entry>();
  const shadowed = new Set<string>();
  let unreadableNames = 0;
  const pending = [directory];
  for (let visited = 1, next = pending.pop(); next !== undefined; next = pending.pop(), visited++) {
    if (visited % directoriesPerBreath === 0) await nextTick();
    const here = readNames(root, next);
    unreadableNames += here.unreadable;
    const directories = here.entries.filter((entry) => entry.kind === "directory");
    pending.push(...directories.map((entry) => entry.path).filter((path) => choice.enters(path)));
    for (const entry of here.entries) {
      if (entry.kind === "directory") continue;
      shadowed.add(entry.path);
      if (choice.takes(entry.path)) found.set(entry.path, entry);
    }
  }
  return { found, shadowed, unreadableNames };
}

/** The workspace has it, or a file where the base had a directory above it. */
function isShadowed(path: string, shadowed: ReadonlySet<string>): boolean {
  if (shadowed.has(path)) return true;
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    if (shadowed.has(path.slice(0, slash))) return true;
  }
  return false;
}

function byPath(one: Entry, other: Entry): number {
  if (one.path === other.path) return 0;
  return one.path < other.path ? -1 : 1;
}

/** Nothing for a directory that is not there: it may be one of the base. */
function readNames(root: string, directory: string): { entries: Entry[]; unreadable: number } {
  const entries: Entry[] = [];
  let unreadable = 0;
  for (const found of readRaw(join(root, directory))) {
    const name = found.name.toString("utf8");
    if (!Buffer.from(name).equals(found.name)) unreadable++;
    else entries.push({ path: directory === "" ? name : `${directory}/${name}`, kind: kindOf(found) });
  }
  return { entries, unreadable };
}

function kindOf(found: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): Entry["kind"] {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSymbolicLink() ? "link" : "other";
}

function readRaw(absolute: string) {
  try {
    return readdirSync(absolute, { withFileTypes: true, encoding: "buffer" });
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw thrown;
  }
}
