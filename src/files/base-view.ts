import { fold } from "../permission/case-fold.ts";
import type { Fetched } from "../protocol/thread.ts";
import type { Seen } from "./contain.ts";

/** The files of the base that a sparse workspace leaves out; asked from whoever holds the repository. */
export interface BaseReader {
  /** What the base holds at a path; `materialise` also puts it into the workspace. */
  fetch(path: string, want: "read" | "materialise"): Promise<Fetched>;
  /** Repository paths of all files below a directory ("" is the root), however deep. */
  names(prefix: string): Promise<{ names: string[]; isComplete: boolean }>;
}

/** The base as a run sees it: what it removed itself does not come back. The base never changes, so answers are kept. */
export interface BaseView {
  look(path: string): Promise<Seen>;
  fetch(path: string, want: "read" | "materialise"): Promise<Fetched>;
  names(prefix: string): Promise<{ names: readonly string[]; isComplete: boolean }>;
  remove(path: string): void;
  restore(path: string): void;
}

export function openBaseView(base: BaseReader, options: { isCaseInsensitive: boolean }): BaseView {
  const key = (path: string) => (options.isCaseInsensitive ? fold(path) : path);
  const removed = new Set<string>();
  const kept = new Map<string, Seen>();
  const listed = new Map<string, Promise<{ names: string[]; isComplete: boolean }>>();

  const names: BaseView["names"] = async (prefix) => {
    const asked = listed.get(prefix) ?? base.names(prefix);
    listed.set(prefix, asked);
    const answer = await asked;
    return { names: answer.names.filter((name) => !removed.has(key(name))), isComplete: answer.isComplete };
  };
  const look = async (path: string): Promise<Seen> => {
    if (removed.has(key(path))) return { kind: "missing" };
    const seen = kept.get(path) ?? asSeen(await base.fetch(path, "read"));
    kept.set(path, seen);
    if (seen.kind === "missing" && options.isCaseInsensitive) return respell(path);
    if (seen.kind !== "directory" || !hasRemovedBelow(path)) return seen;
    const below = await names(path);
    return below.names.length > 0 || !below.isComplete ? seen : { kind: "missing" };
  };
  /** The name as the base spells it, where only its case differs. */
  const respell = async (path: string): Promise<Seen> => {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const depth = path.split("/").length;
    const wanted = key(path);
    for (const name of (await names(parent)).names) {
      const candidate = name.split("/").slice(0, depth).join("/");
      if (key(candidate) !== wanted || candidate === path) continue;
      return { ...(await look(candidate)), name: candidate.slice(candidate.lastIndexOf("/") + 1) };
    }
    return { kind: "missing" };
  };
  const hasRemovedBelow = (path: string) => {
    for (const each of removed) if (each.startsWith(`${key(path)}/`)) return true;
    return false;
  };

  return {
    look,
    names,
    fetch: async (path, want) => (removed.has(key(path)) ? { found: "nothing" } : base.fetch(path, want)),
    remove: (path) => void removed.add(key(path)),
    restore: (path) => void removed.delete(key(path)),
  };
}

/** What stands there, as far as a way through it goes. */
export function asSeen(fetched: Fetched): Seen {
  switch (fetched.found) {
    case "link":
      return { kind: "link", target: fetched.target };
    case "nothing":
      return { kind: "missing" };
    case "file":
    case "too_large":
      return { kind: "file" };
    case "directory":
    case "submodule":
      return { kind: fetched.found };
  }
}
