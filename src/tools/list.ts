import { z } from "zod";
import type { Entry } from "../files/list.ts";
import { defineTool, failed, type RunContext, showPath } from "./tool.ts";

export const list = defineTool({
  name: "list",
  description:
    "Lists the names in one directory, sorted, as paths from the repository root; directories end in a slash. Shows " +
    "only what this run may read.",
  input: z.strictObject({
    path: z.string().min(1).optional().describe("Directory relative to the repository root; default the root"),
  }),
  effect: "read",
  isBrowsing: true,
  paths: ({ path = "." }) => [{ tool: "Read", path }],
  async run(_input, context) {
    const [at] = context.at;
    if (!at) return failed("no path was resolved");
    if (at.kind !== "directory") return failed(notDirectory(at.canonical, at.exists));
    const listed = await context.files.list(at.canonical);
    const shown = listed.entries.filter((entry) => isVisible(entry, context));
    const notes = [
      note(shown.length - mostShown, "more names are not shown; list a directory below, or use glob"),
      note(listed.entries.length - shown.length, "names are not shown: this run may not read them"),
      note(listed.unreadableNames, "names are not shown: they are not UTF-8"),
      listed.isComplete ? [] : ["[the list is not complete: there are too many files below]"],
    ].flat();
    const lines = shown.slice(0, mostShown).map(showEntry);
    return {
      content: [...(lines.length > 0 ? lines : ["(nothing)"]), ...notes].join("\n"),
      more: "list a directory below",
    };
  },
});

const mostShown = 1_000;

/** What stands in for a directory that is none. */
export function notDirectory(path: string, exists: boolean): string {
  const shown = JSON.stringify(path);
  return exists ? `${shown} is not a directory. Use read to see a file.` : `${shown} does not exist.`;
}

/** A line about what a list leaves out; none when that is nothing. */
export function note(count: number, what: string): string[] {
  return count > 0 ? [`[${count} ${what}]`] : [];
}

function isVisible(entry: Entry, context: RunContext): boolean {
  if (entry.kind !== "directory") return context.mayRead(entry.path, "file");
  return context.mayRead(entry.path, "directory") || context.mayEnter(entry.path);
}

function showEntry(entry: Entry): string {
  const shown = showPath(entry.path);
  if (entry.kind === "directory") return `${shown}/`;
  if (entry.kind === "link") return `${shown} (symlink)`;
  return entry.kind === "other" ? `${shown} (not a regular file)` : shown;
}
