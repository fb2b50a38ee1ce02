import { visible, visibleLine } from "../protocol/visible.ts";

/**
 * Markdown out of texts that nobody vouches for. A foreign text is only ever code: no HTML, link, mention, reference
 * or picture comes of it, no cell or fence is broken by it, and what is too long is cut with a note, at a line.
 */

/** A text inside a line or a cell, at most 300 characters. */
export function inline(text: string, most = 300): string {
  const line = visibleLine(text, most);
  return line === ""
    ? ""
    : `<code>${line.replace(/[&<>|\\`*_~[\]@#!{}$]|:(?=\/\/)|\.(?=\w)(?<=www\.)/gi, reference)}</code>`;
}

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

/** A part of a page that can be shortened between its rows without harm to what encloses them. */
export interface Block {
  opening: readonly string[];
  rows: readonly string[];
  closing: readonly string[];
  /** Says how many rows there are no room for, after the closing. */
  more(left: number): string;
}

export function paragraph(...lines: string[]): Block {
  return { opening: lines, rows: [], closing: [], more: () => "" };
}

/** A row is a list of cells that are Markdown already. More than `mostRows` are counted, not shown. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { mostRows = 100, left = "rows" }: { mostRows?: number; left?: string } = {},
): Block {
  const shown = rows.slice(0, mostRows).map((cells) => `| ${cells.join(" | ")} |`);
  return {
    opening: [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`],
    rows: shown,
    closing: [],
    more: (cut) => notShown(cut + rows.length - shown.length, left),
  };
}

/** The last lines of what a command printed, as a block of code. */
export function fence(text: string, { mostLines = 40 }: { mostLines?: number } = {}): Block {
  const lines = visible(text).toWellFormed().trimEnd().split("\n");
  const shown = lines
    .slice(-mostLines)
    .map((line) => (line.length > 400 ? `${line.slice(0, 400).toWellFormed()}…` : line));
  const longest = Math.max(0, ...shown.flatMap((line) => line.match(/`+/g) ?? []).map((run) => run.length));
  const mark = "`".repeat(Math.max(3, longest + 1));
  return { opening: [`${mark}text`], rows: shown, closing: [mark], more: (cut) => notShown(cut, "lines") };
}

function notShown(count: number, what: string): string {
  return count === 0 ? "" : `${count} more ${what} are not shown here.`;
}

/** All blocks as one page of at most `maxBytes`, cut between rows and between blocks, and then saying so. */
export function page(blocks: readonly Block[], maxBytes: number): string {
  const ending = "\n**Cut here: there was no room for more.** The result as JSON has all of it.\n";
  let text = "";
  let room = maxBytes - Buffer.byteLength(ending);
  for (const block of blocks) {
    const written = fitting(block, room);
    if (written === undefined) return room < 0 ? "" : `${text}${ending}`;
    text += written.text;
    room -= Buffer.byteLength(written.text);
    if (written.isCut) return `${text}${ending}`;
  }
  return text;
}

/** undefined when not even the frame fits. */
function fitting(block: Block, room: number): { text: string; isCut: boolean } | undefined {
  const rest = (taken: number) => {
    const note = block.more(block.rows.length - taken);
    return [...block.closing, "", ...(note === "" ? [] : [note, ""])];
  };
  const sizeOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  // The longest note is that of all rows left out, or of none when nothing is.
  let size = sizeOf(block.opening) + Math.max(sizeOf(rest(0)), sizeOf(rest(block.rows.length)));
  if (size > room) return undefined;
  let taken = 0;
  for (const row of block.rows) {
    size += Buffer.byteLength(row) + 1;
    if (size > room) break;
    taken += 1;
  }
  const lines = [...block.opening, ...block.rows.slice(0, taken), ...rest(taken)];
  return { text: `${lines.join("\n")}\n`, isCut: taken < block.rows.length };
}
