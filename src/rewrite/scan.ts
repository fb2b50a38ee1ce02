import { Buffer, isUtf8 } from "node:buffer";
import { parse, type SgNode } from "@ast-grep/napi";
import type { Failure } from "../protocol/failure.ts";
import type { FoundText, ScanQuery } from "../protocol/scan.ts";
import type { SourceFile } from "./compiled-recipe.ts";
import { type Pattern, readPattern } from "./pattern.ts";
import { type Place, placesIn } from "./place.ts";
import { type Language, languageOf } from "./source-text.ts";

/**
 * Looks for an expression or a code pattern in the bytes of one file. It changes nothing and opens nothing; that a
 * regular expression may never come back is the business of whoever runs this in a thread.
 */
export interface Scan {
  /** What was found, or undefined; or why the file was not looked at. */
  look(file: SourceFile): FoundText | undefined | Skipped;
}
export interface Skipped {
  skipped: string;
  isBinary: boolean;
}

/** Returns the mistake where the query can never work. */
export function compileScan(query: ScanQuery): Scan | { mistake: Failure } {
  const regex = query.regex === undefined ? undefined : compileRegex(query.regex);
  if (regex && "mistake" in regex) return regex;
  const grammar = query.pattern === undefined ? undefined : compilePattern({ ...query, pattern: query.pattern });
  if (grammar && "mistake" in grammar) return grammar;
  return {
    look({ path, bytes }) {
      const text = readText(bytes);
      if (typeof text !== "string") return text;
      const found = findAll(path, text, [
        ...(grammar ? [grammar] : []),
        ...(regex ? [(_: string, all: string) => findRegex(regex, all, query.places)] : []),
      ]);
      if (!found || "skipped" in found) return found;
      return { path, count: found.count, places: query.places === 0 ? [] : shown(text, found.starts) };
    },
  };
}

type Finder = (path: string, text: string) => Found | Skipped;

/** What the last of them found, if each found something. */
function findAll(path: string, text: string, finders: readonly Finder[]): Found | undefined | Skipped {
  let found: Found | undefined;
  for (const find of finders) {
    const seen = find(path, text);
    if ("skipped" in seen) return seen;
    if (seen.count === 0) return undefined;
    found = seen;
  }
  return found;
}

interface Found {
  count: number;
  /** UTF-16 indices of the first of them, rising. */
  starts: number[];
}

function compileRegex(source: string): RegExp | { mistake: Failure } {
  try {
    return new RegExp(source, "gmu");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const remedy = "write a JavaScript regular expression for the flags mu, where a literal - / { is escaped with care";
    return { mistake: { code: "job_file", message: `the regular expression cannot be read: ${reason}`, remedy } };
  }
}

function findRegex(regex: RegExp, text: string, most: number): Found {
  const found: Found = { count: 0, starts: [] };
  for (const match of text.matchAll(regex)) {
    found.count++;
    if (found.starts.length < most) found.starts.push(match.index);
    if (most === 0) break;
  }
  return found;
}

/** One name for each grammar there can be; those of packages that are not installed are no language of any file. */
const extensions: Readonly<Record<string, string>> = {
  JavaScript: "js",
  TypeScript: "ts",
  Tsx: "tsx",
  Python: "py",
  Go: "go",
  Rust: "rs",
  Java: "java",
};

function compilePattern(query: ScanQuery & { pattern: string }): Finder | { mistake: Failure } {
  const { pattern, language: only } = query;
  const named = Object.keys(extensions).filter((name) => only === undefined || name === only);
  const languages = named.flatMap((name) => languageOf(`file.${extensions[name]}`) ?? []);
  const readable = new Map<Language, Pattern>();
  const problems: string[] = [];
  for (const language of languages) {
    const read = readPattern(language, pattern);
    if ("problem" in read) problems.push(`${language}: ${read.problem}`);
    else readable.set(language, read);
  }
  if (readable.size === 0) return { mistake: unreadable(pattern, problems, only) };
  const [single] = only === undefined ? [] : readable.keys();
  return (path, text) => {
    const language = languageOf(path) ?? (query.takes_unnamed ? single : undefined);
    const read = language && readable.get(language);
    if (!language || !read?.words.every((word) => text.includes(word))) return { count: 0, starts: [] };
    if (text.length > mostCode) return { skipped: `too large to parse: ${text.length} characters`, isBinary: false };
    const nodes = allOf(parse(language, text).root(), read.matcher, query.places);
    return { count: nodes.length, starts: nodes.slice(0, query.places).map((node) => node.range().start.index) };
  };
}

/** As for recipes: parsing more would hold the thread for seconds. */
const mostCode = 4 * 1024 * 1024;

function allOf(root: SgNode, pattern: Pattern["matcher"], places: number): SgNode[] {
  const rule = { rule: { pattern } };
  if (places > 0) return root.findAll(rule);
  const first = root.find(rule);
  return first ? [first] : [];
}

function unreadable(pattern: string, problems: readonly string[], only: string | undefined): Failure {
  if (problems.length === 0) {
    const remedy = "install the optional package of that language (@ast-grep/lang-NAME), or use a regex";
    return { code: "job_file", message: `there is no grammar for ${only ?? "any language"}`, remedy };
  }
  const message = `the pattern \`${pattern}\` does not compile: ${problems.join("; ")}`;
  const remedy = "write the pattern as complete code, with $NAME for one node and $$$NAME for any number of them";
  return { code: "job_file", message, remedy };
}

/** Without its byte order mark: `^` is where a person sees the beginning. */
function readText(bytes: Uint8Array): string | Skipped {
  if (bytes.includes(0)) return { skipped: "binary", isBinary: true };
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(view)) return { skipped: "not UTF-8 text", isBinary: false };
  return view.toString("utf8").replace(/^\uFEFF/, "");
}

const longestLine = 160;

function shown(text: string, starts: readonly number[]): FoundText["places"] {
  const placeOf = placesIn(text);
  return starts.map((start) => {
    const { line, column }: Place = placeOf(start);
    const from = start - column;
    const end = text.indexOf("\n", start);
    const whole = text.slice(from, end < 0 ? text.length : end).trim();
    const cut = whole.length > longestLine ? `${whole.slice(0, longestLine)}...` : whole;
    return { line: line + 1, column: column + 1, text: cut };
  });
}
