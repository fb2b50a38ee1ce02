import type { Problem } from "./problem.ts";

export const maxDocumentBytes = 1_000_000;

/** Why a text is not worth parsing: too large, or holding what YAML 1.2 does not allow in a file (5.1). */
export function refusedText(text: string, maxBytes: number): Problem | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) return tooLarge(bytes, maxBytes);
  const offset = text.search(forbidden);
  if (offset === -1) return undefined;
  const code = (text.codePointAt(offset) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const what =
    code === "0000" ? "a NUL: this is not a text file" : `the character U+${code}, which YAML does not allow`;
  return { offset, message: `found ${what}; save the file as plain UTF-8 text` };
}

export function tooLarge(bytes: number, maxBytes: number): Problem {
  const message = `the file has ${inMegabytes(bytes)} and at most ${inMegabytes(maxBytes)} are read; split it, or check that it is the right file`;
  return { offset: 0, message };
}

function inMegabytes(bytes: number): string {
  return bytes >= 100_000 ? `${Math.ceil(bytes / 10_000) / 100} MB` : `${bytes} bytes`;
}

// Lone surrogates are here too: they cannot be saved as UTF-8, so the text did not come from a file as it is.
const forbidden = /[^\t\n\r\x20-\x7E\x85\u{A0}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
