/**
 * Whatever a screen, a log or a page would act on without showing it, as a visible mark `\x1b`: control characters,
 * escape sequences, and marks that change the direction of text. Newline and tab stay.
 */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, mark);
}

/** The same as one line, cut at `most` characters with an ellipsis. */
export function visibleLine(text: string, most: number): string {
  const line = visible(text.replace(/\s+/g, " ").trim()).toWellFormed();
  const characters = line.length > most ? [...line] : [];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : line;
}

function mark(character: string): string {
  return `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}
