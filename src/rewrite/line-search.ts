import type { Failure } from "../protocol/failure.ts";
import type { TextQuery } from "../protocol/search.ts";

/**
 * Finds the lines of a text that a regular expression matches. It opens nothing, and that an expression may never come
 * back is the business of whoever runs this in a thread.
 */
export interface LineSearch {
  /** At most `most` places, in order. */
  find(text: string, most: number): FoundLines[];
  /** Lines that some match touches. It keeps none of them. */
  count(text: string): number;
}

/** First and last line of one match, counted from 0, and the UTF-16 index in the first where it begins. */
export interface FoundLines {
  first: number;
  last: number;
  column: number;
}

type Asked = Pick<TextQuery, "pattern" | "is_case_insensitive" | "is_multiline">;

/** Returns the mistake where the expression is none. */
export function compileLineSearch(query: Asked): LineSearch | { mistake: Failure } {
  const read = readPattern(query);
  if ("mistake" in read) return read;
  const { regex } = read;
  const isPlain = staysInLine.test(query.pattern);
  const inLines = (text: string) => (isPlain && !regex.test(text) ? [] : foundInLines(text, regex));
  const found = query.is_multiline ? (text: string) => foundAcross(text, regex) : inLines;
  return { find: (text, most) => firstOf(found(text), most), count: (text) => countLines(found(text)) };
}

function firstOf(found: Iterable<FoundLines>, most: number): FoundLines[] {
  const first: FoundLines[] = [];
  if (most < 1) return first;
  for (const each of found) if (first.push(each) >= most) break;
  return first;
}

function countLines(found: Iterable<FoundLines>): number {
  let count = 0;
  let reached = -1;
  for (const { first, last } of found) {
    count += Math.max(0, last - Math.max(first, reached + 1) + 1);
    reached = Math.max(reached, last);
  }
  return count;
}

/**
 * An expression none of whose parts could take a newline: where it matches nothing in the whole text, it matches no line
 * of it. Others may behave differently at the end of a line, or run far over it.
 */
const staysInLine = /^(?:[^\\[(\n]|\\[bBdwS.^$*+?()[\]{}|/-]|\((?!\?)|\(\?:|\[[\w .-]+\])*$/;

function* foundInLines(text: string, regex: RegExp): Generator<FoundLines> {
  for (let line = 0, start = 0; start <= text.length; line++) {
    const end = text.indexOf("\n", start);
    const next = end < 0 ? text.length : end;
    // What follows the last newline is no line when there is nothing of it.
    if (end < 0 && start === text.length) break;
    const match = regex.exec(text.slice(start, text[next - 1] === "\r" && next > start ? next - 1 : next));
    if (match) yield { first: line, last: line, column: match.index };
    start = next + 1;
  }
}

function* foundAcross(text: string, regex: RegExp): Generator<FoundLines> {
  const count = new LineCounter(text);
  for (const match of text.matchAll(regex)) {
    const first = count.lineAt(match.index);
    const column = match.index - count.start;
    const last = match[0] === "" ? first : count.lineAt(match.index + match[0].length - 1);
    yield { first, last, column };
  }
}

/** Lines of rising places. */
class LineCounter {
  readonly #text: string;
  #line = 0;
  /** Where that line begins. */
  start = 0;

  constructor(text: string) {
    this.#text = text;
  }

  lineAt(index: number): number {
    for (let end = this.#text.indexOf("\n", this.start); end >= 0 && end < index; ) {
      this.#line++;
      this.start = end + 1;
      end = this.#text.indexOf("\n", this.start);
    }
    return this.#line;
  }
}

function readPattern(query: Asked): { regex: RegExp } | { mistake: Failure } {
  const { source, inline } = takeInlineFlags(query.pattern);
  const always = query.is_multiline ? "gms" : "m";
  const flags = [...new Set([...always, ...inline, ...(query.is_case_insensitive ? "i" : "")])].join("");
  const foreign = foreignSyntax.find(({ sign }) => sign.test(source));
  if (foreign) return mistake(foreign.reason, foreign.remedy);
  if (!query.is_multiline && asksForNewline(source)) return mistake("\\n is in no line", "set multiline to true");
  try {
    return { regex: new RegExp(source, `${flags}u`) };
  } catch (cause) {
    const strict = cause instanceof Error ? cause.message : String(cause);
    // Other dialects let any sign be escaped, and take a lone brace for itself.
    const loose = needsUnicode.test(source) ? undefined : tryCompile(source, flags);
    return loose ? { regex: loose } : mistake(strict, "write a JavaScript regular expression; \\ makes a sign plain");
  }
}

/** `(?i)` in front, as other dialects have it. */
function takeInlineFlags(pattern: string): { source: string; inline: string } {
  const [whole = "", inline = ""] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  return { source: pattern.slice(whole.length), inline };
}

/** Outside of a class, where it may just as well be meant as one sign of many. */
function asksForNewline(source: string): boolean {
  return /(?<!\\)(?:\\\\)*\\n|\n/.test(source.replaceAll(/\[(?:\\.|[^\]\\])*\]/gs, ""));
}

/** Means something else, or nothing, without the flag. */
const needsUnicode = /\\p\{|\\P\{|\\u\{/;

const foreignSyntax = [
  {
    sign: /\[\[:\^?[a-z]+:\]/,
    reason: "it has a POSIX class such as [[:space:]]",
    remedy: "write \\s, \\d, \\w, or [A-Za-z] in its place",
  },
  {
    sign: /(?<!\\)(?:\\\\)*\\[AzZhQE]/,
    reason: "\\A, \\z, \\Z, \\h, \\Q and \\E are not known here",
    remedy: "write ^ and $ for the ends of a line, [ \\t] for blanks, and \\ before each sign that is to be plain",
  },
] as const;

function tryCompile(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

function mistake(reason: string, remedy: string): { mistake: Failure } {
  return { mistake: { code: "usage", message: `the pattern cannot be read: ${reason}`, remedy } };
}
