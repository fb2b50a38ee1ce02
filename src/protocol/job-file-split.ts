import { z } from "zod";
import { writtenLanguage } from "./language.ts";
import { choice } from "./not-built.ts";
import { key } from "./written-key.ts";
import { templated, templatedPath, templatedRegex, text } from "./written-text.ts";

/** How a job file spreads its steps over tasks, as people write it. */

const count = z.int().min(1).max(1_000_000);
const strategies = [
  "none",
  "files",
  "directory",
  "workspace",
  "owner",
  "match",
  "findings",
  "list",
  "planner",
] as const;

const matchMapping = z
  .strictObject({
    glob: key(templatedPath, "files whose path it covers, gitignore style", "every file"),
    regex: key(templatedRegex, "files with text that it matches; JavaScript, flags mu", "none"),
    pattern: key(templated({ most: 64_000 }), "files with code that this ast-grep pattern matches", "none"),
    language: key(writtenLanguage, "the language of the pattern; only files of it", "by the name of each file"),
  })
  .superRefine((written, context) => {
    const message = refusedMatch(written);
    if (message) context.addIssue({ code: "custom", message });
  });

function refusedMatch({
  glob,
  regex,
  pattern,
  language,
}: {
  glob?: unknown;
  regex?: unknown;
  pattern?: unknown;
  language?: unknown;
}) {
  if (glob === undefined && regex === undefined && pattern === undefined) {
    return "the match says nothing; write glob, regex or pattern";
  }
  if (language !== undefined && pattern === undefined)
    return "language belongs to a pattern; write one, or leave it out";
  return undefined;
}

const splitMapping = z
  .strictObject({
    by: key(choice(strategies), "how the repository is cut into tasks", "match, where a match is written"),
    files: key(count, "most files of one task; what does not fit is refused, with the counts", "sized for the threads"),
    tasks: key(count, "most tasks; more are refused, with the counts", "as many as it takes"),
    match: key(
      z.union([templatedRegex, matchMapping]),
      "only files that match: a regular expression, or { glob, regex, pattern, language }",
      "every file",
    ),
    items: key(
      z.array(templatedPath).min(1).max(100_000),
      "of by: list: files, directories or globs; each becomes a task",
      "none",
    ),
    of: key(text({ most: 200 }), "of by: findings: the name of the check whose findings become tasks", "none"),
  })
  .superRefine((written, context) => {
    const message = refusedSplit(written);
    if (message) context.addIssue({ code: "custom", message });
  });

export const writtenSplit = z.union([
  choice(["none", "files", "directory", "workspace", "owner", "planner"], {
    list: "needs its items; write split: { by: list, items: [src, test] }",
    match: "needs what to look for; write split: { by: match, match: REGEX }",
    findings: "needs a check; write split: { by: findings, of: NAME OF A CHECK }",
  }),
  splitMapping,
]);
export type WrittenSplit = z.infer<typeof writtenSplit>;

type Written = Partial<Record<"by" | "files" | "tasks" | "match" | "items" | "of", unknown>>;

function refusedSplit(written: Written): string | undefined {
  const { by = "match", files, tasks, match } = written;
  if (written.by === undefined && match === undefined)
    return '"by" is missing; write by: files, directory, workspace, owner, match, findings, list, planner or none';
  if (by === "match" && match === undefined)
    return '"match" is missing; write what to look for: match: REGEX, or match: { glob: GLOB }';
  if (by === "list" && files !== undefined) return '"files" does not apply to by: list; each item is one task';
  if (by === "planner" && files !== undefined)
    return '"files" does not apply to by: planner; it says what each task edits';
  if (by === "none" && (files !== undefined || tasks !== undefined)) {
    return "by: none is always one task; leave out its maxima, or write by: files";
  }
  return (
    refusedBelonging(written, "items", "list", "write the files, directories or globs to split by") ??
    refusedBelonging(written, "of", "findings", "write the name of the check whose findings become tasks")
  );
}

/** `key` is there when the split is by `owner`, and only then. */
function refusedBelonging(written: Written, key: "items" | "of", owner: string, remedy: string): string | undefined {
  if (written.by === owner) return written[key] === undefined ? `"${key}" is missing; ${remedy}` : undefined;
  return written[key] === undefined
    ? undefined
    : `"${key}" belongs to by: ${owner}; write by: ${owner}, or leave it out`;
}
