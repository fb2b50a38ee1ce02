import type { PathPattern } from "../protocol/scope.ts";
import type { SplitView } from "./split-view.ts";

/** Files by pattern without asking every pattern of every file: jobs have thousands of both. */
export interface FileIndex {
  /** The files a pattern covers, in their order. */
  covered(pattern: PathPattern): readonly string[];
}

type Indexed = Pick<SplitView, "files" | "matches" | "isCaseInsensitive">;

const indexes = new WeakMap<readonly string[], FileIndex>();

/** One for each list of files: a plan asks it about the same globs again and again. */
export function indexOf(view: Indexed): FileIndex {
  const index = indexes.get(view.files) ?? openIndex(view);
  indexes.set(view.files, index);
  return index;
}

/** Most paths that an index remembers of all globs together. */
const mostKnown = 4_000_000;

export function openIndex(view: Indexed): FileIndex {
  const asked = new Map<string, readonly string[]>();
  const index = openPlainIndex(view);
  let left = mostKnown;
  return {
    covered(pattern) {
      if (!("glob" in pattern)) return index.covered(pattern);
      const known = asked.get(pattern.glob);
      if (known) return known;
      const found = index.covered(pattern);
      // What is over that is looked up each time.
      if (found.length < left) asked.set(pattern.glob, found);
      left -= Math.min(found.length + 1, left);
      return found;
    },
  };
}

function openPlainIndex(view: Indexed): FileIndex {
  const { files } = view;
  if (view.isCaseInsensitive) {
    return { covered: (pattern) => files.filter((path) => view.matches(pattern, path)) };
  }
  const known = new Set(files);
  const ranges = rangesOf(files);
  const below = (folder: string) => {
    const range = ranges.get(folder);
    return range ? files.slice(range.from, range.to + 1) : [];
  };
  return {
    covered(pattern) {
      if ("files" in pattern) return pattern.files.filter((path) => known.has(path));
      if ("directories" in pattern) return pattern.directories.flatMap((folder) => below(folder.replace(/\/$/, "")));
      const plain = leadingFolder(pattern.glob);
      const candidates = [...(known.has(plain) ? [plain] : []), ...below(plain)];
      const sure = plainParts(pattern.glob);
      return candidates.filter((path) => holds(path, sure) && view.matches(pattern, path));
    },
  };
}

/** Files are sorted, so those of a folder stand together. */
function rangesOf(files: readonly string[]): ReadonlyMap<string, { from: number; to: number }> {
  const ranges = new Map<string, { from: number; to: number }>();
  for (const [index, path] of files.entries()) {
    for (let end = path.length; end >= 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = end === path.length ? "" : path.slice(0, end);
      const range = ranges.get(folder);
      if (range) range.to = index;
      else ranges.set(folder, { from: index, to: index });
      if (end === 0) break;
    }
  }
  return ranges;
}

/** What stands in every path that a glob covers, in this order: most paths are passed over quickly by it. */
function plainParts(glob: string): string[] {
  return /[\\[\] ]/.test(glob) ? [] : glob.split(/[*?/]+/).filter((part) => part !== "");
}

function holds(path: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = path.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** The path that all a gitignore pattern covers is, or is below; "" where that may be anywhere. */
export function leadingFolder(glob: string): string {
  // Spaces at the end do not count; one behind a backslash leaves that, and ends the plain part.
  const plain = glob.replace(/ +$/, "").replace(/\/$/, "");
  if (!plain.includes("/")) return "";
  const names = plain.replace(/^\//, "").split("/");
  const first = names.findIndex((name) => /[*?[\\ ]/.test(name));
  return (first < 0 ? names : names.slice(0, first)).join("/");
}
