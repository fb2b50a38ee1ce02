import { z } from "zod";
import { compileGlob, couldCoverBelow, type Glob, matches } from "../permission/glob.ts";
import { subjectOf } from "../permission/subject.ts";
import { expandBraces } from "./braces.ts";
import { notDirectory, note } from "./list.ts";
import { defineTool, failed, showPath } from "./tool.ts";

export const glob = defineTool({
  name: "glob",
  description:
    "Finds files by name, such as **/*.ts or src/**/*.{js,jsx}: * and ? stop at a slash, ** crosses directories, " +
    "{a,b} are alternatives, [a-z] is a class. Paths come sorted, from the repository root; hidden files are " +
    "included, symlinked directories are not entered, node_modules only where the pattern or path names it, and only " +
    "what this run may read is found.",
  input: z.strictObject({
    pattern: z.string().min(1).max(1_000).describe("Pattern relative to path"),
    path: z
      .string()
      .min(1)
      .optional()
      .describe("Directory to search, relative to the repository root; default the root"),
  }),
  effect: "read",
  isBrowsing: true,
  paths: ({ path = "." }) => [{ tool: "Read", path }],
  async run({ pattern }, context) {
    const [at] = context.at;
    if (!at) return failed("no path was resolved");
    if (at.kind !== "directory") return failed(notDirectory(at.canonical, at.exists));
    const { isCaseInsensitive } = context;
    const alternatives = compileAll(pattern, isCaseInsensitive);
    if (typeof alternatives === "string") return failed(alternatives);
    const isInstalled = (path: string) => !/node_modules/.test(pattern) && /(^|\/)node_modules$/.test(path);
    const below = at.canonical === "" ? 0 : at.canonical.length + 1;
    const segmentsOf = (path: string) => subjectOf(path.slice(below), { isCaseInsensitive }).segments;
    const found = await context.files.walk(at.canonical, {
      enters: (path) =>
        !isInstalled(path) &&
        context.mayEnter(path) &&
        alternatives.some((each) => couldCoverBelow(each, segmentsOf(path))),
      takes: (path) => alternatives.some((each) => matches(each, segmentsOf(path))) && context.mayRead(path, "file"),
      most: mostFound,
    });
    const notes = [
      found.isComplete
        ? []
        : [`[the list is not complete: only ${found.entries.length} files are shown; narrow the pattern]`],
      note(found.unreadableNames, "names were passed over: they are not UTF-8"),
    ].flat();
    const lines = found.entries.map((entry) => showPath(entry.path));
    return {
      content: [...(lines.length > 0 ? lines : ["(no files)"]), ...notes].join("\n"),
      more: "narrow the pattern",
    };
  },
});

const mostFound = 1_000;

/** Anchored at the directory that is searched. Throws Fault `rule` for a pattern that could match nothing. */
function compileAll(pattern: string, isCaseInsensitive: boolean): Glob[] | string {
  const relative = pattern.replace(/^(\.\/)+/, "").replace(/^\/+/, "");
  if (relative === "" || relative.endsWith("/")) return "pattern: it names a directory; glob finds files (add **)";
  const alternatives = expandBraces(relative);
  if (!alternatives) return "pattern: its braces stand for too many alternatives; use several calls";
  return alternatives.filter((each) => each !== "").map((each) => compileGlob(`/${each}`, isCaseInsensitive));
}
