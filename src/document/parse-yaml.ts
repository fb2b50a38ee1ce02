import { Composer, type Document, isScalar, type YAMLParseError, type YAMLWarning } from "yaml";
import { boundedTokens } from "./bounded-tokens.ts";
import type { Problem } from "./problem.ts";

/** One YAML document as the library gives it: nodes with offsets, nothing resolved or expanded yet. */
export type ParsedDocument = Document.Parsed;

interface Parsed {
  documents: ParsedDocument[];
  problems: Problem[];
}

/**
 * Text to YAML 1.2 documents (core schema, no merge keys), empty ones left out. No key is compared with another here:
 * the library does that by looking at each pair of keys.
 */
export function parseYaml(text: string, maxDocuments: number): Parsed {
  // The library makes an Error for each mistake it meets, and a text can hold a million: without stacks that takes
  // a second, with them a quarter of a minute. Nothing else runs before the limit is back.
  const limit = Error.stackTraceLimit;
  try {
    Error.stackTraceLimit = 0;
    return compose(text, maxDocuments);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

const dialect = {
  version: "1.2",
  schema: "core",
  merge: false,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

function compose(text: string, maxDocuments: number): Parsed {
  const documents: ParsedDocument[] = [];
  const stopped: Problem[] = [];
  const tokens = boundedTokens(text, (problem) => stopped.push(problem));
  for (const document of new Composer(dialect).compose(tokens, true, text.length)) {
    const problems = stopped.length > 0 ? stopped : problemsOf(document, text);
    if (problems.length > 0) return { documents, problems };
    if (!isEmpty(document)) documents.push(document);
    if (documents.length > maxDocuments) return { documents, problems: [tooMany(document, maxDocuments)] };
  }
  return { documents, problems: stopped };
}

function problemsOf(document: ParsedDocument, text: string): Problem[] {
  const complaints = [...document.errors.slice(0, mostComplaints), ...document.warnings.slice(0, mostComplaints)];
  return [...complaints.map(syntaxProblem), ...directiveProblems(document, text)];
}

const mostComplaints = 100;

function isEmpty(document: ParsedDocument): boolean {
  const { contents } = document;
  return contents === null || (isScalar(contents) && contents.value === null && !contents.source);
}

function tooMany(document: ParsedDocument, maxDocuments: number): Problem {
  const offset = document.contents?.range[0] ?? document.range[0];
  const message =
    maxDocuments === 1
      ? "a second document starts here (after `---`), and one was expected; put each in a file of its own"
      : `more than ${maxDocuments} documents; put them in several files`;
  return { offset, message };
}

/** `%YAML 1.1` would change what `yes`, `on` and `012` mean, so only 1.2 is read. */
function directiveProblems(document: ParsedDocument, text: string): Problem[] {
  if (document.directives.yaml.version === "1.2") return [];
  return [{ offset: Math.max(0, text.indexOf("%YAML")), message: "only YAML 1.2 is read; remove the %YAML line" }];
}

function syntaxProblem(error: YAMLParseError | YAMLWarning): Problem {
  const reason = error.message.replace(/\s+/g, " ").trim();
  const remedy = remedies[error.code] ?? "check the indentation, colons, quotes and brackets around here";
  return { offset: error.pos[0], message: `${reason.slice(0, 1).toLowerCase()}${clipped(reason.slice(1))}; ${remedy}` };
}

function clipped(reason: string): string {
  return reason.length > 200 ? `${reason.slice(0, 200)}...` : reason;
}

const quoteIt = "put the value in quotes";

const remedies: Readonly<Record<string, string>> = {
  BAD_ALIAS: `${quoteIt} if it is a glob or a name that starts with * or &`,
  BAD_DQ_ESCAPE: "use single quotes where a backslash stands for itself",
  BAD_INDENT: "indent the entries of one mapping or list alike",
  BAD_SCALAR_START: quoteIt,
  BLOCK_AS_IMPLICIT_KEY: `${quoteIt} if it holds a colon and a space`,
  MISSING_CHAR: "add what is missing",
  MULTILINE_IMPLICIT_KEY: "add the colon after the key, or indent the line as part of the value above",
  TAB_AS_INDENT: "indent with spaces",
  TAG_RESOLVE_FAILED: `tags are not read; ${quoteIt} if it starts with !`,
};
