import { compileGlob } from "../permission/glob.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { type FileIndex, openIndex } from "./file-index.ts";
import type { Part, SplitView } from "./split-view.ts";

/** Less than the whole job: only some files, only some of the parts. Nothing here ever adds a file to anybody. */

/** Only what `only` covers, to look at and to edit. Parts with nothing left go; who needed one needs what it needed. */
export function onlyCovered(parts: readonly Part[], only: PathPattern, view: SplitView): Part[] {
  const covered = new Set(view.files.filter((path) => view.matches(only, path)));
  const index = openIndex({ ...view, files: [...covered] });
  const narrowed = parts.map((part): Part => {
    const writes = part.writes.flatMap((pattern) => narrowWrites(pattern, { only, index, view }));
    return { ...part, files: part.files.filter((path) => covered.has(path)), writes };
  });
  return without(narrowed, (part) => part.files.length === 0 && part.writes.length === 0);
}

interface Narrowing {
  only: PathPattern;
  index: FileIndex;
  view: SplitView;
}

function narrowWrites(pattern: PathPattern, { only, index, view }: Narrowing): PathPattern[] {
  if ("directories" in pattern && pattern.directories.includes("")) return [only];
  const whole = "directories" in pattern ? pattern.directories.filter((folder) => isCovered(folder, only, view)) : [];
  const named = namedIn(pattern).filter((path) => view.matches(only, path));
  const files = index.covered(pattern);
  return [
    ...(whole.length > 0 ? [{ directories: whole }] : []),
    ...(files.length + named.length > 0 ? [{ files: [...new Set([...files, ...named])] }] : []),
  ];
}

/** A name that no repository has stands for all that may come into the folder. */
function isCovered(folder: string, only: PathPattern, view: SplitView): boolean {
  return view.matches(only, `${folder}/\u0001/\u0001`);
}

function namedIn(pattern: PathPattern): readonly string[] {
  if ("files" in pattern) return pattern.files;
  if ("directories" in pattern) return [];
  const { literal, isName } = compileGlob(pattern.glob, false);
  return literal === undefined || isName ? [] : [literal];
}

/** `count` of the parts, evenly spread over them, and what those need. */
export function sampled(parts: readonly Part[], count: number): Part[] {
  if (count >= parts.length) return [...parts];
  const known = new Map(parts.map((part) => [part.id, part]));
  const chosen = new Set<string>();
  const pending = Array.from(
    { length: count },
    (_, index) => parts[Math.floor(((index + 0.5) * parts.length) / count)],
  );
  for (let part = pending.pop(); part; part = pending.pop()) {
    if (chosen.has(part.id)) continue;
    chosen.add(part.id);
    pending.push(...(part.needs ?? []).flatMap((need) => known.get(need) ?? []));
  }
  return parts.filter((part) => chosen.has(part.id));
}

function without(parts: readonly Part[], isGone: (part: Part) => boolean): Part[] {
  const gone = new Map(parts.filter(isGone).map((part) => [part.id, part.needs ?? []]));
  const standing = (needs: readonly Part["id"][], seen: Set<Part["id"]>): Part["id"][] =>
    needs.flatMap((need) => {
      if (seen.has(need)) return [];
      seen.add(need);
      const instead = gone.get(need);
      return instead ? standing(instead, seen) : [need];
    });
  return parts
    .filter((part) => !gone.has(part.id))
    .map((part) => (part.needs ? { ...part, needs: standing(part.needs, new Set()) } : part));
}
