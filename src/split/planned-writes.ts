import { parseGlob } from "../permission/glob-syntax.ts";
import { Fault } from "../protocol/failure.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { repositoryPath } from "../protocol/written-text.ts";
import { indexOf } from "./file-index.ts";
import type { SplitView } from "./split-view.ts";

type View = Pick<SplitView, "files" | "matches" | "isCaseInsensitive">;

/**
 * What a planner means by one of its `writes`. It never comes out as a pattern that names a path the way a person's rule
 * does: only that lifts a protection, and a plan lifts none. `isNew`: nothing of it is there yet.
 */
export function readWrite(text: string, view: View): { pattern: PathPattern; isNew: boolean } | { problem: string } {
  const checked = repositoryPath.safeParse(text);
  if (!checked.success) return { problem: checked.error.issues[0]?.message ?? "it is no path" };
  const plain = text.replace(/^\//, "").replace(/\/$/, "");
  const named = readNamed(text, plain, view);
  if (named) return named;
  return readGlob(text, view);
}

/** What is there under that very name is meant, whatever marks the name holds. */
function readNamed(text: string, plain: string, view: View) {
  if (isThere({ files: [plain] }, view)) {
    return text.endsWith("/")
      ? { problem: "it is a file, not a folder; leave out the / at its end" }
      : { pattern: { files: [plain] }, isNew: false };
  }
  if (isThere({ directories: [plain] }, view)) return { pattern: { directories: [plain] }, isNew: false };
  if (/[*?[\]\\]/.test(text)) return undefined;
  const above = folderFile(plain, view);
  if (above !== undefined) return { problem: `${JSON.stringify(above)} is a file, so nothing can be below it` };
  const pattern: PathPattern = text.endsWith("/") ? { directories: [plain] } : { files: [plain] };
  return { pattern, isNew: true };
}

function readGlob(text: string, view: View): { pattern: PathPattern; isNew: boolean } | { problem: string } {
  try {
    const { literal, isName } = parseGlob(text);
    const pattern: PathPattern = literal !== undefined && !isName ? { files: [literal] } : { glob: text };
    if (isThere(pattern, view)) return { pattern, isNew: false };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return { problem: thrown.remedy ? `${thrown.message}; ${thrown.remedy}` : thrown.message };
  }
  const remedy = "name a file that is to be made by its own path, or a new folder with a / at its end";
  return { problem: `it matches no file that may be given to a task; ${remedy}` };
}

function isThere(pattern: PathPattern, view: View): boolean {
  return indexOf(view).covered(pattern).length > 0;
}

function folderFile(plain: string, view: View): string | undefined {
  for (let end = plain.lastIndexOf("/"); end > 0; end = plain.lastIndexOf("/", end - 1)) {
    const above = plain.slice(0, end);
    if (isThere({ files: [above] }, view)) return above;
  }
  return undefined;
}
