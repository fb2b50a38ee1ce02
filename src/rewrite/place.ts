import type { Leftover } from "../protocol/claim.ts";
import type { SourceText } from "./source-text.ts";

/** A position as the parser has it: 0-based line, 0-based column in UTF-16 units. */
export interface Place {
  line: number;
  column: number;
}

/** Answers where indices of a text are; the indices must be asked for in rising order. */
export function placesIn(text: string): (index: number) => Place {
  let line = 0;
  let lineStart = 0;
  let next = text.indexOf("\n");
  return (index) => {
    while (next !== -1 && next < index) {
      line++;
      lineStart = next + 1;
      next = text.indexOf("\n", lineStart);
    }
    return { line, column: index - lineStart };
  };
}

const longestExcerpt = 160;

/** A leftover of `source` at UTF-16 range `start`-`end`; only the first line of its text is kept. */
export function leftoverAt(
  source: SourceText,
  at: { start: number; end: number; place?: Place },
  reason: string,
): Leftover {
  const place = at.place ?? placesIn(source.text)(at.start);
  const whole = source.text.slice(at.start, at.end);
  const first = /^[^\r\n]*/.exec(whole)?.[0] ?? "";
  const isCut = first.length < whole.length || first.length > longestExcerpt;
  const text = isCut ? `${first.slice(0, longestExcerpt)}...` : first;
  return { path: source.path, line: place.line + 1, column: place.column + 1, text, reason };
}
