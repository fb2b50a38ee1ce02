import { isUtf8 } from "node:buffer";
import { fold as foldCase } from "../permission/case-fold.ts";

/**
 * The names of a tree as a strict file system sees them: one name is a file or a directory, never both, and no two
 * names differ only by case. It refuses new clashes only; what the base already holds is nobody's fault. It knows
 * just the names that could clash with an added path, so that its size follows the work and not the repository.
 */
export interface Names {
  /** Clashes that these changes would bring, or undefined and then they are taken in. */
  take(change: NameChange): Clash | undefined;
}

/** Paths that appear and paths that go, as raw bytes in latin1. */
export interface NameChange {
  added: readonly string[];
  removed: readonly string[];
}

export interface Clash {
  kind: "file and directory clash" | "names differ only by case";
  /** The new name and the live one it clashes with (the same name where one is a file and one a directory). */
  names: readonly [string, string];
}

/** `existing` are all paths of the base; `mayAppear` every path that any later change could add. */
export function createNames(existing: Iterable<string>, mayAppear: Iterable<string>): Names {
  const live: Live = new Map();
  for (const path of mayAppear) for (const name of namesOf(path)) live.set(fold(name), new Map());
  for (const path of existing) count(live, path, 1);
  return { take: (change) => take(live, change) };
}

/** Folded name -> each spelling of it -> how many paths are it, and how many are below it. */
type Live = Map<string, Map<string, { files: number; below: number }>>;

function take(live: Live, change: NameChange): Clash | undefined {
  const fresh = new Set(change.added.flatMap((path) => [...namesOf(path)]).filter((name) => !isLive(live, name)));
  move(live, change);
  const clash = findClash(live, change.added, fresh);
  if (clash) move(live, { added: change.removed, removed: change.added });
  return clash;
}

function move(live: Live, change: NameChange): void {
  for (const path of change.removed) count(live, path, -1);
  for (const path of change.added) count(live, path, 1);
}

function findClash(live: Live, added: readonly string[], fresh: ReadonlySet<string>): Clash | undefined {
  for (const name of added.flatMap((path) => [...namesOf(path)])) {
    const spellings = live.get(fold(name));
    const own = spellings?.get(name);
    if (own && own.files > 0 && own.below > 0) return { kind: "file and directory clash", names: [name, name] };
    const other = fresh.has(name) ? otherThan(spellings, name) : undefined;
    if (other !== undefined) return { kind: "names differ only by case", names: [name, other] };
  }
  return undefined;
}

function otherThan(spellings: ReadonlyMap<string, unknown> | undefined, name: string): string | undefined {
  for (const spelling of spellings?.keys() ?? []) if (spelling !== name) return spelling;
  return undefined;
}

function isLive(live: Live, name: string): boolean {
  return live.get(fold(name))?.has(name) ?? false;
}

function count(live: Live, path: string, step: 1 | -1): void {
  // Most paths are ASCII, where a part of the folded path is the folded part.
  const folded = isAscii(path) ? path.toLowerCase() : undefined;
  for (const name of namesOf(path)) {
    const spellings = live.get(folded?.slice(0, name.length) ?? fold(name));
    if (spellings) countSpelling(spellings, name, { isFile: name.length === path.length, step });
  }
}

function countSpelling(
  spellings: Map<string, { files: number; below: number }>,
  name: string,
  { isFile, step }: { isFile: boolean; step: 1 | -1 },
): void {
  const counts = spellings.get(name) ?? { files: 0, below: 0 };
  counts[isFile ? "files" : "below"] += step;
  if (counts.files > 0 || counts.below > 0) spellings.set(name, counts);
  else spellings.delete(name);
}

/** `a/b/c` -> `a`, `a/b`, `a/b/c`. */
function* namesOf(path: string): Generator<string> {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) yield path.slice(0, slash);
  yield path;
}

function fold(raw: string): string {
  if (isAscii(raw)) return raw.toLowerCase();
  const bytes = Buffer.from(raw, "latin1");
  return isUtf8(bytes) ? foldCase(bytes.toString().normalize("NFC")) : raw;
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}
