import type { SearchReport, TextQuery } from "../protocol/search.ts";
import { type ChosenFiles, chooseFiles } from "./chosen-files.ts";
import { endingsOf, type GrepInput, grepInput } from "./grep-input.ts";
import { defineTool, failed, type RunContext, type ToolOutcome } from "./tool.ts";

/** Searches text. Nothing is matched in this thread: a pattern that never ends would hold up all runs in it. */
export const grep = defineTool({
  name: "grep",
  description:
    "Searches the text of files, with your edits in them, for a JavaScript regular expression. Shows the paths of files " +
    'that match, or with output_mode "content" their lines as path:number:line, with "count" how many lines of each ' +
    "match. Paths are sorted, from the repository root. Only files that this run may read are searched; hidden ones " +
    "are, binary ones and those in node_modules (unless named) are not. Long lines are cut around the match.",
  input: grepInput,
  effect: "read",
  isBrowsing: true,
  paths: ({ path = "." }) => [{ tool: "Read", path }],
  async run(input, context) {
    const chosen = await filesOf(input, context);
    if ("refused" in chosen) return failed(chosen.refused);
    const query = queryOf(input);
    const report = await context.asking.search(query, chosen.paths);
    return report.mistake ? failed(mistakeOf(report.mistake)) : show(report, chosen, input);
  },
});

async function filesOf(input: GrepInput, context: RunContext): Promise<ChosenFiles | { refused: string }> {
  const [at] = context.at;
  if (!at) return { refused: "no path was resolved" };
  if (at.kind === "directory") {
    return chooseFiles(at.canonical, { glob: input.glob, endings: input.type && endingsOf[input.type] }, context);
  }
  if (at.kind === "file") return { paths: [at.canonical], isComplete: true, isPartly: false };
  const shown = JSON.stringify(at.canonical);
  return { refused: at.exists ? `${shown} is neither a file nor a directory` : `${shown} does not exist` };
}

const modes = { content: "content", files_with_matches: "files", count: "count" } as const;
const defaultLimit = 250;

function queryOf(input: GrepInput): TextQuery {
  const { output_mode = "files_with_matches", head_limit = defaultLimit, context } = input;
  const around = input["-C"] ?? context ?? 0;
  return {
    kind: "text",
    pattern: input.pattern,
    is_case_insensitive: input["-i"] ?? false,
    is_multiline: input.multiline ?? false,
    mode: modes[output_mode],
    before: input["-B"] ?? around,
    after: input["-A"] ?? around,
    has_numbers: input["-n"] ?? true,
    offset: input.offset ?? 0,
    limit: head_limit === 0 ? Number.MAX_SAFE_INTEGER : head_limit,
  };
}

export function mistakeOf({ message, remedy }: NonNullable<SearchReport["mistake"]>): string {
  return remedy ? `${message}. To try: ${remedy}` : message;
}

function show(report: SearchReport, chosen: ChosenFiles, { offset = 0 }: GrepInput): ToolOutcome {
  const { lines, next_offset: next, looked } = report;
  const none = offset > 0 ? `(nothing after the first ${offset} lines)` : `(no matches in ${looked} files)`;
  const more = next === undefined ? [] : [`[there is more: set offset to ${next}, or narrow the search]`];
  const notes = [...more, ...notesOn(report, chosen)];
  return { content: [...(lines.length > 0 ? lines : [none]), ...notes].join("\n"), more: "set offset" };
}

/** What was not searched, as far as the answer could have been in it. */
function notesOn(report: SearchReport, chosen: ChosenFiles): string[] {
  const { next_offset: next, unlooked, skipped, skipped_count: count, binary, lines } = report;
  const told = skipped.map(({ path, reason }) => `${JSON.stringify(path)}: ${reason}`.slice(0, 200)).join("; ");
  return [
    ...(next === undefined && unlooked > 0
      ? [`[${unlooked} files were not searched: it took too long; set path or glob]`]
      : []),
    ...(count > 0 ? [`[${count} files were not searched: ${told}]`] : []),
    ...(binary > 0 && lines.length === 0 ? [`[${binary} binary files were not searched]`] : []),
    ...(chosen.isPartly ? ["[files that this run may not read were not searched]"] : []),
    ...(chosen.isComplete ? [] : ["[there are too many files: not all were searched; set path or glob]"]),
  ];
}
