import ts from "@typescript/typescript6";
import type { FileRewrite, SourceFile } from "./compiled-recipe.ts";
import { leftoverAt } from "./place.ts";
import { readSource, type SourceText } from "./source-text.ts";
import { type Splice, toTextEdits } from "./text-edit.ts";

/**
 * One file as TypeScript's parser reads it, for recipes that must know which name means what. A file with a syntax
 * error is left alone altogether: one misread brace would move every name after it into another scope.
 */
export interface SyntaxFile {
  source: SourceText;
  tree: ts.SourceFile;
}

/** A change of one file, or what keeps a stretch of it as it is. Both count in UTF-16 units. */
export interface Findings {
  splices: Splice[];
  kept: { start: number; end: number; reason: string }[];
}

/** Reads a file in which `isLikely` sees something to do, and gives it to `find`. */
export function rewriteSyntax(
  file: SourceFile,
  isLikely: (text: string) => boolean,
  find: (file: SyntaxFile) => Findings,
): FileRewrite {
  const source = readSource(file);
  if ("skipped" in source) return { edits: [], leftovers: [], skipped: source.skipped };
  if (!isLikely(source.text)) return { edits: [], leftovers: [] };
  try {
    const read = parseSyntax(source);
    return "problem" in read ? leaveWhole(source, read.problem) : toRewrite(source, find(read));
  } catch (thrown) {
    // The stack's end: the parser and every walk of its tree go as deep as the code is nested.
    if (!(thrown instanceof RangeError)) throw thrown;
    return leaveWhole(source, { start: 0, end: 0, reason: "nested too deeply to be read: the file is left as it is" });
  }
}

/** What was found as byte edits and leftovers, both in order. */
function toRewrite(source: SourceText, { splices, kept }: Findings): FileRewrite {
  const inOrder = (one: { start: number }, other: { start: number }) => one.start - other.start;
  return {
    edits: toTextEdits(source, splices.toSorted(inOrder)),
    leftovers: kept.toSorted(inOrder).map((at) => leftoverAt(source, at, at.reason)),
  };
}

interface SyntaxProblem {
  start: number;
  end: number;
  reason: string;
}

/** The tree of a file, or the first place that cannot be read. */
export function parseSyntax(source: SourceText): SyntaxFile | { problem: SyntaxProblem } {
  // The parser knows a first line such as `#!/usr/bin/env node` only where no byte order mark comes before it.
  const text = source.text.replace(/^\uFEFF#![^\r\n]*/, (line) => " ".repeat(line.length));
  const tree = ts.createSourceFile(source.path, text, ts.ScriptTarget.Latest, true, kindOf(source));
  const problem = problemOf(tree);
  if (!problem) return { source, tree };
  const { start, length, messageText } = problem;
  const said = ts.flattenDiagnosticMessageText(messageText, " ").replace(/\.$/, "");
  return { problem: { start, end: start + length, reason: `syntax error (${said}): the file is left as it is` } };
}

function leaveWhole(source: SourceText, { start, end, reason }: SyntaxProblem): FileRewrite {
  return { edits: [], leftovers: [leftoverAt(source, { start, end }, reason)] };
}

/** JavaScript may hold JSX whatever its name says. */
function kindOf({ language }: SourceText): ts.ScriptKind {
  if (language === "Tsx") return ts.ScriptKind.TSX;
  return language === "TypeScript" ? ts.ScriptKind.TS : ts.ScriptKind.JSX;
}

/** Old numbers and escapes (`017`, `08`, `"\\1"`): the parser says that strict code has none, and reads them well. */
const onlyOld: ReadonlySet<number> = new Set([1121, 1489, 1487, 1488]);

/** What the parser itself noted; the public way to it would build a whole program. */
function problemOf(tree: ts.SourceFile): ts.DiagnosticWithLocation | undefined {
  const noted: unknown = "parseDiagnostics" in tree ? tree.parseDiagnostics : undefined;
  if (!Array.isArray(noted)) throw new TypeError("the parser no longer says what it could not read");
  const problems: ts.DiagnosticWithLocation[] = noted;
  return problems.find(({ code }) => !onlyOld.has(code));
}
