import type { SearchReport } from "../protocol/search.ts";
import { showPath } from "./tool.ts";

/** What a model is told of a rewrite: how much in which file, and what was left and why. Pure. */
export interface Left {
  path: string;
  reason: string;
}

const mostFiles = 200;
const mostLeft = 50;

export function describeRewrites(
  { rewrites, leftovers, leftover_count: leftCount, looked, unlooked, skipped }: SearchReport,
  { left, isDry }: { left: readonly Left[]; isDry: boolean },
): string {
  const places = rewrites.reduce((sum, { edits }) => sum + edits.length, 0);
  const verb = isDry ? "would rewrite" : "rewrote";
  const head =
    places === 0
      ? `nothing was rewritten: no match in ${looked} files`
      : `${verb} ${places} place${places === 1 ? "" : "s"} in ${rewrites.length} file${rewrites.length === 1 ? "" : "s"}:`;
  const files = rewrites.map(({ path, edits }) => `- ${showPath(path)}: ${edits.length}`);
  const denied = left.map(({ path, reason }) => `- ${showPath(path)}: ${reason}`);
  const alone = leftovers.map((one) => `- ${showPath(one.path)}:${one.line}:${one.column} ${one.reason}: ${one.text}`);
  const unread = skipped.map(({ path, reason }) => `- ${showPath(path)}: ${reason}`);
  const rest = leftCount - leftovers.length;
  return [
    head,
    ...listed(files, mostFiles),
    ...titled("left alone, as they may not be edited without an answer:", denied),
    ...titled(`left alone (${leftCount}):`, [...alone, ...(rest > 0 ? [`- and ${rest} more`] : [])]),
    ...titled("not looked at:", unread),
    ...(unlooked > 0
      ? [`[${unlooked} files were not looked at: there is a limit to one call. Call it again for them]`]
      : []),
  ].join("\n");
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...listed(lines, mostLeft + 1)];
}

function listed(lines: readonly string[], most: number): string[] {
  const more = lines.length - most;
  return [...lines.slice(0, most).map((line) => line.slice(0, 300)), ...(more > 0 ? [`- and ${more} more`] : [])];
}
