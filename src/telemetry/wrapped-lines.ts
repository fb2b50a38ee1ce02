import type { Finding } from "./redact.ts";

/**
 * Base64 and hexadecimal as programs print them, in lines of 60 to 76 characters: the lines are put together and looked
 * at as one. Lines of anything else stay as they are.
 */
export interface Unwrapped {
  text: string;
  /** Where a character of the joined text stood. */
  placeOf(index: number): number;
}

/** Undefined where no line goes on in the next. */
export function unwrapped(text: string): Unwrapped | undefined {
  const pieces: string[] = [];
  /** Where each piece begins, in the joined text and in the original. */
  const starts: { joined: number; original: number }[] = [{ joined: 0, original: 0 }];
  let joined = 0;
  let from = 0;
  for (const { index, 0: gap } of text.matchAll(lineBreak)) {
    const next = index + gap.length;
    if (!(lineEnd.test(text.slice(Math.max(from, index - shortestLine), index)) && letter.test(text.charAt(next)))) {
      continue;
    }
    pieces.push(text.slice(from, index));
    joined += index - from;
    from = next;
    starts.push({ joined, original: next });
  }
  if (pieces.length === 0) return undefined;
  pieces.push(text.slice(from));
  return { text: pieces.join(""), placeOf: (place) => placeIn(starts, place) };
}

/** Also one that stands in a text of JSON. */
const lineBreak = /(?:\r?\n|(?:\\r)?\\n)[ \t]{0,16}/g;
const shortestLine = 16;
const lineEnd = /^[\w+/-]{16}$/;
const letter = /^[\w+/-]/;

function placeIn(starts: readonly { joined: number; original: number }[], place: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle]?.joined ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  const { joined = 0, original = 0 } = starts[low] ?? {};
  return original + place - joined;
}

export function findWrapped(
  text: string,
  isThere: (joined: string) => boolean,
  values: readonly string[],
  occurrences: (text: string, value: string) => Finding[],
): Finding[] {
  const lines = unwrapped(text);
  if (!(lines && isThere(lines.text))) return [];
  const found = values.flatMap((value) => occurrences(lines.text, value));
  return found.map(({ start, end, kind }) => ({ start: lines.placeOf(start), end: lines.placeOf(end - 1) + 1, kind }));
}
