import { Fault, type FaultCode } from "../protocol/failure.ts";

/** Something wrong at a place of a text: `offset` counts UTF-16 units from its start. */
export interface Problem {
  offset: number;
  message: string;
}

const mostListed = 20;

/** All problems as one Fault, in the order of the text, `file:line:column: reason; remedy` a line, at most 20. */
export function listed(
  problems: readonly Problem[],
  text: string,
  options: { file: string; code: FaultCode; remedy?: string },
): Fault {
  const ordered = distinct(problems);
  const lines = ordered
    .slice(0, mostListed)
    .map(({ offset, message }) => `${options.file}:${lineAndColumn(text, offset)}: ${message}`);
  if (ordered.length > lines.length) lines.push("... and more; correct these first");
  return new Fault(options.code, lines.join("\n"), options.remedy ? { remedy: options.remedy } : {});
}

/** `line:column` of an offset, both from 1; columns count UTF-16 units, as editors do. */
export function lineAndColumn(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1 && end < offset; end = text.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  return `${line}:${Math.max(0, Math.min(offset, text.length) - start) + 1}`;
}

/** The same for many offsets of one text: its lines are found once, when the first is asked for. */
export function linesAndColumns(text: string): (offset: number) => string {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const line = starts.length - countAfter(starts, offset);
    return `${line}:${Math.max(0, Math.min(offset, text.length) - (starts[line - 1] ?? 0)) + 1}`;
  };
}

/** How many of the rising numbers are larger. */
function countAfter(rising: readonly number[], limit: number): number {
  let [from, to] = [0, rising.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((rising[middle] ?? 0) > limit) to = middle;
    else from = middle + 1;
  }
  return rising.length - from;
}

/** One problem a place: what follows from the first is noise. Sorting keeps the order of equals. */
function distinct(problems: readonly Problem[]): Problem[] {
  const byOffset = new Map<number, Problem>();
  for (const problem of problems) if (!byOffset.has(problem.offset)) byOffset.set(problem.offset, problem);
  return [...byOffset.values()].sort((one, other) => one.offset - other.offset);
}
