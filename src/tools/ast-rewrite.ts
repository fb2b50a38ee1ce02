import { z } from "zod";
import { endingsOfLanguage, type Language, language } from "../protocol/language.ts";
import type { FileRewrite, SearchReport } from "../protocol/search.ts";
import { writeEdits } from "./apply-edits.ts";
import { chooseFiles } from "./chosen-files.ts";
import { describeRewrites, type Left } from "./describe-rewrites.ts";
import { mistakeOf } from "./grep.ts";
import { defineTool, failed, type RunContext, type ToolOutcome } from "./tool.ts";

const input = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(10_000)
    .refine((text) => !/^\s*\${1,3}[A-Z_][A-Z0-9_]*\s*$/.test(text), { error: "a lone variable stands for everything" })
    .describe("Complete code to find: $NAME stands for one node, $$$NAME for any number, as in foo($A, $$$REST)"),
  fix: z.string().max(10_000).describe("What to put there, with the variables of the pattern; empty to take it away"),
  language: language.describe("Language of the files; TypeScript does not cover .tsx files, which Tsx does"),
  paths: z
    .array(z.string().min(1).max(4_096))
    .min(1)
    .max(200)
    .optional()
    .describe("Files and directories, relative to the repository root; default all"),
  dry_run: z.boolean().optional().describe("Show what would change, and change nothing; default false"),
});
type Input = z.infer<typeof input>;

/**
 * Rewrites code by pattern. Directories are acknowledged as such; each file in them is decided once it is known to match,
 * before anything is written, and a file that somebody would have to be asked about has to be named.
 */
export const astRewrite = defineTool({
  name: "ast_rewrite",
  description:
    "Replaces every piece of code that matches an ast-grep pattern, in all files of one language that you may edit, " +
    "all of them or none. Matching is by syntax: white space and comments between tokens do not matter, and text in " +
    "strings and comments never matches. What lies inside of another match, or beside a syntax error, is left alone " +
    "and told. Use dry_run first where you are not sure of the pattern.",
  input,
  effect: "edit",
  isBrowsing: true,
  paths: ({ paths = ["."] }) => paths.map((path) => ({ tool: "Edit", path })),
  async run(asked, context) {
    const chosen = await filesOf(asked.language, context);
    if ("refused" in chosen) return failed(chosen.refused);
    const { pattern, fix, language: of } = asked;
    const query = { kind: "rewrite", pattern, fix, language: of } as const;
    const report = await context.asking.search(query, chosen.paths);
    return report.mistake ? failed(mistakeOf(report.mistake)) : apply(report, { asked, named: chosen.named, context });
  },
});

interface Chosen {
  paths: string[];
  /** Named by the call itself, so decided with it. */
  named: ReadonlySet<string>;
}

async function filesOf(of: Language, context: RunContext): Promise<Chosen | { refused: string }> {
  const named = new Set(context.at.flatMap(({ kind, canonical }) => (kind === "file" ? [canonical] : [])));
  const refused = whyNot(context.at, of);
  if (refused !== undefined) return { refused };
  const paths = new Set(named);
  for (const { canonical } of context.at.filter(({ kind }) => kind === "directory")) {
    const found = await chooseFiles(canonical, { endings: endingsOfLanguage[of] }, context);
    if ("refused" in found) return found;
    if (!found.isComplete) return { refused: "there are too many files: name directories in paths" };
    addTo(
      paths,
      found.paths.filter((path) => context.mayEdit(path).effect !== "deny"),
    );
  }
  return { paths: [...paths].sort(), named };
}

function addTo(paths: Set<string>, more: readonly string[]): void {
  for (const path of more) paths.add(path);
}

function whyNot(at: RunContext["at"], of: Language): string | undefined {
  const missing = at.find(({ exists }) => !exists);
  if (missing) return `${JSON.stringify(missing.canonical)} does not exist`;
  const isAlien = (path: string) => !endingsOfLanguage[of].includes(path.slice(path.lastIndexOf(".") + 1));
  const alien = at.find(({ kind, canonical }) => kind === "file" && isAlien(canonical));
  return alien && `${JSON.stringify(alien.canonical)} is no file of ${of}, by its name`;
}

interface Applying {
  asked: Input;
  named: ReadonlySet<string>;
  context: RunContext;
}

async function apply(report: SearchReport, { asked, named, context }: Applying): Promise<ToolOutcome> {
  const left: Left[] = [];
  const rewrites: FileRewrite[] = [];
  for (const each of report.rewrites) {
    const decision = named.has(each.path) ? undefined : context.mayEdit(each.path);
    if (!decision || decision.effect === "allow") rewrites.push(each);
    else left.push({ path: each.path, reason: `${decision.reason}; name it in paths to have it asked about` });
  }
  const isDry = asked.dry_run ?? false;
  const written = isDry || rewrites.length === 0 ? { changed: [] } : await writeEdits(rewrites, context);
  if ("refused" in written) return failed(written.refused);
  const content = describeRewrites({ ...report, rewrites }, { left, isDry });
  return { content, ...(written.changed.length > 0 ? { changed: written.changed } : {}) };
}
