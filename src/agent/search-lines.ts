import { Buffer, isAscii } from "node:buffer";
import type { Failure } from "../protocol/failure.ts";
import type { SearchReport, TextQuery } from "../protocol/search.ts";
import { compileLineSearch, type FoundLines } from "../rewrite/line-search.ts";
import { showPath } from "../tools/tool.ts";
import type { Searcher } from "./search.ts";

/**
 * The answer to a search as a person would have it of grep: lines, paths or counts, from `offset` on. It stops at the first
 * line too many, so that a search for what is everywhere costs no more than one for what is rare.
 */
export function answerInLines(query: TextQuery): Searcher | { mistake: Failure } {
  const search = compileLineSearch(query);
  if ("mistake" in search) return search;
  const page = new Page(query);
  let isFirst = true;
  return {
    look(path, bytes) {
      const text = textOf(bytes);
      if (query.mode === "count") return addCount(page, path, search.count(text));
      const found = search.find(text, mostIn(query, page));
      if (found.length === 0) return true;
      const shown = linesOf({ path, text, found }, query);
      if (query.mode === "content" && hasContext(query) && !isFirst) shown.unshift(separator);
      isFirst = false;
      return shown.every((line) => page.add(line));
    },
    answer: () => page.answer(),
  };
}

/** Below the cap on results, with room for what is said about the rest. */
const mostCharacters = 28_000;
const separator = "--";

class Page {
  readonly #lines: string[] = [];
  readonly #query: TextQuery;
  #passed = 0;
  #characters = 0;
  #isFull = false;

  constructor(query: TextQuery) {
    this.#query = query;
  }

  /** Lines that it could still take or pass over, and one to know that there are more. */
  get room(): number {
    return this.#query.offset + Math.min(this.#query.limit, mostCharacters) - this.#passed + 1;
  }

  /** False when it is full. A separator counts for nothing, and stands only between two lines. */
  add(line: string): boolean {
    const { offset, limit } = this.#query;
    if (line === separator) {
      if (this.#lines.length > 0) this.#lines.push(line);
      return true;
    }
    const shown = this.#passed - offset;
    this.#isFull = shown >= limit || (shown > 0 && this.#characters + line.length > mostCharacters);
    if (this.#isFull) return false;
    if (shown >= 0) {
      this.#lines.push(line);
      this.#characters += line.length + 1;
    }
    this.#passed++;
    return true;
  }

  answer(): Pick<SearchReport, "lines" | "next_offset"> {
    if (this.#lines.at(-1) === separator) this.#lines.pop();
    return { lines: this.#lines, ...(this.#isFull ? { next_offset: this.#passed } : {}) };
  }
}

function mostIn(query: TextQuery, { room }: Page): number {
  return query.mode === "content" ? room : 1;
}

function addCount(page: Page, path: string, count: number): boolean {
  return count === 0 || page.add(`${showPath(path)}:${count}`);
}

/** A byte order mark is nothing of the first line. What is not UTF-8 is searched as far as it can be read. */
function textOf(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isAscii(view) ? view.toString("latin1") : view.toString("utf8").replace(/^\uFEFF/, "");
}

function hasContext({ before, after }: TextQuery): boolean {
  return before > 0 || after > 0;
}

function linesOf(file: { path: string; text: string; found: readonly FoundLines[] }, query: TextQuery): string[] {
  const path = showPath(file.path);
  if (query.mode === "files") return [path];
  return contentLines(path, file, query);
}

function contentLines(
  path: string,
  { text, found }: { text: string; found: readonly FoundLines[] },
  query: TextQuery,
): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const columns = columnsOf(found);
  const shown: string[] = [];
  let reached = -1;
  for (const { first, last } of found) {
    const from = Math.max(0, first - query.before, reached + 1);
    const to = Math.min(lines.length - 1, last + query.after);
    if (hasContext(query) && reached >= 0 && from > reached + 1) shown.push(separator);
    for (let line = from; line <= to; line++) shown.push(showLine(lines[line] ?? "", { path, line, columns, query }));
    reached = Math.max(reached, to);
  }
  return shown;
}

/** Of each line that a match touches, where the first begins. */
function columnsOf(found: readonly FoundLines[]): Map<number, number> {
  const columns = new Map<number, number>();
  for (const { first, last, column } of found) {
    for (let line = first; line <= last; line++) {
      if (!columns.has(line)) columns.set(line, line === first ? column : 0);
    }
  }
  return columns;
}

interface Shown {
  path: string;
  line: number;
  columns: ReadonlyMap<number, number>;
  query: TextQuery;
}

/** `path:12:text`, and with dashes what only surrounds a match. */
function showLine(text: string, { path, line, columns, query }: Shown): string {
  const column = columns.get(line);
  const mark = column === undefined ? "-" : ":";
  const number = query.has_numbers ? `${line + 1}${mark}` : "";
  return `${path}${mark}${number}${cutLine(text, column ?? 0)}`;
}

const longestLine = 500;

/** A long line as what surrounds its first match. */
function cutLine(whole: string, column: number): string {
  const line = whole.replace(/\r$/, "");
  if (line.length <= longestLine) return line;
  const from = Math.max(0, Math.min(column - 100, line.length - longestLine));
  const kept = line.slice(from, from + longestLine).toWellFormed();
  return `${from > 0 ? "…" : ""}${kept}… [a line of ${line.length} characters]`;
}
