import type { PathPattern } from "../protocol/scope.ts";
import type { SplitView } from "./split-view.ts";

/** Files by pattern without asking every pattern of every file: jobs have thousands of both. */
export interface FileIndex {
  /** The files a pattern covers, in their order. */
  covered(pattern: PathPattern): readonly string[];
}

export function openIndex(view: Pick<SplitView, "files" | "matches" | "isCaseInsensitive">): FileIndex {
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
      return candidates.filter((path) => view.matches(pattern, path));
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

/** The path that all a gitignore pattern covers is, or is below; "" where that may be anywhere. */
export function leadingFolder(glob: string): string {
  if (!glob.replace(/\/$/, "").includes("/")) return "";
  const names = glob.replace(/^\//, "").replace(/\/$/, "").split("/");
  const first = names.findIndex((name) => /[*?[\\ ]/.test(name));
  return (first < 0 ? names : names.slice(0, first)).join("/");
}
