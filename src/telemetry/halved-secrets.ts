import type { Finding } from "./redact.ts";

/**
 * Where output was cut, a secret may have been cut with it: its beginning before that place, its end behind it. Places
 * that only look like a cut cost little, however many a command prints.
 */
export function halvesAtCuts(text: string, values: readonly string[]): Finding[] {
  return Array.from(text.matchAll(cut), ({ index, 0: mark }) => {
    const after = index + mark.length;
    return values.flatMap((value) => {
      const [begun, ended] = [beginningBefore(text, index, value), endAt(text, after, value)];
      return [
        ...(begun > 0 ? [{ start: index - begun, end: index, kind: "secret" }] : []),
        ...(ended > 0 ? [{ start: after, end: after + ended, kind: "secret" }] : []),
      ];
    });
  }).flat();
}

/** As capture (sandbox/capture.ts) says that it left out the middle. */
const cut = /\n\.\.\. \d+ bytes left out \.\.\.\n/g;

const shortestHalf = 3;

/** How many characters before that place are the longest beginning of the value. */
function beginningBefore(text: string, place: number, value: string): number {
  if (place < shortestHalf) return 0;
  const last = text.slice(place - shortestHalf, place);
  for (let at = value.lastIndexOf(last, value.length - shortestHalf - 1); at !== -1; ) {
    const length = at + shortestHalf;
    if (length <= place && text.startsWith(value.slice(0, length), place - length)) return length;
    at = at === 0 ? -1 : value.lastIndexOf(last, at - 1);
  }
  return 0;
}

/** How many characters from that place on are the longest end of the value. */
function endAt(text: string, place: number, value: string): number {
  const first = text.slice(place, place + shortestHalf);
  if (first.length < shortestHalf) return 0;
  for (let at = value.indexOf(first, 1); at !== -1; at = value.indexOf(first, at + 1)) {
    if (text.startsWith(value.slice(at), place)) return value.length - at;
  }
  return 0;
}
