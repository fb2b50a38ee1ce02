import { compileGlob, couldCoverBelow, type Glob, matches } from "../permission/glob.ts";
import { subjectOf } from "../permission/subject.ts";
import { expandBraces } from "./braces.ts";
import type { RunContext } from "./tool.ts";

/** The files below a directory that a call is about, of those that its run may read. */
export interface ChosenFiles {
  /** Canonical and sorted. */
  paths: string[];
  isComplete: boolean;
  /** Some that it would be about may not be read. */
  isPartly: boolean;
}

export interface Choice {
  /** As a person writes it: without a slash it is about names in every directory. */
  glob?: string | undefined;
  /** Of file names, without the dot. */
  endings?: readonly string[] | undefined;
}

/** In words, why there is no such choice. Throws Fault `rule` for a pattern that could match nothing. */
export async function chooseFiles(
  directory: string,
  { glob, endings }: Choice,
  context: RunContext,
): Promise<ChosenFiles | { refused: string }> {
  const globs = glob === undefined ? undefined : compileChoice(glob, directory, context);
  if (typeof globs === "string") return { refused: globs };
  const segmentsOf = (path: string) => subjectOf(path, context).segments;
  const namesInstalled = /node_modules/.test(`${glob ?? ""} ${directory}`);
  let isPartly = false;
  const found = await context.files.walk(directory, {
    enters(path) {
      if (!namesInstalled && /(^|\/)node_modules$/.test(path)) return false;
      if (globs && !globs.some((each) => couldCoverBelow(each, segmentsOf(path)))) return false;
      const isOpen = context.mayEnter(path);
      isPartly ||= !isOpen;
      return isOpen;
    },
    takes(path) {
      if (endings && !endings.includes(path.slice(path.lastIndexOf(".") + 1))) return false;
      if (globs && !globs.some((each) => matches(each, segmentsOf(path)))) return false;
      const isOpen = context.mayRead(path, "file");
      isPartly ||= !isOpen;
      return isOpen;
    },
    most: mostFiles,
  });
  const paths = found.entries.filter(({ kind }) => kind === "file").map(({ path }) => path);
  return { paths, isComplete: found.isComplete, isPartly };
}

const mostFiles = 100_000;

/** A pattern with a slash is about paths from the root, or from the directory that is searched: both are written. */
function compileChoice(
  glob: string,
  directory: string,
  { isCaseInsensitive }: { isCaseInsensitive: boolean },
): Glob[] | string {
  if (glob.startsWith("!")) return "glob: a pattern that leaves files out is not known here; name those that are meant";
  const relative = glob.replace(/^(\.\/)+/, "").replace(/^\/+/, "");
  if (relative === "" || relative.endsWith("/")) return "glob: it names a directory; set path to it";
  const alternatives = expandBraces(relative)?.filter((each) => each !== "");
  if (!alternatives) return "glob: its braces stand for too many alternatives; use several calls";
  const below = directory === "" ? [] : [`/${escapeGlob(directory)}`];
  return alternatives.flatMap((each) => {
    const tops = each.includes("/") ? ["", ...below] : ["/**"];
    return tops.map((top) => compileGlob(`${top}/${each}`, isCaseInsensitive));
  });
}

/** A directory's own name stands for itself. */
function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}!]/g, "\\$&");
}
