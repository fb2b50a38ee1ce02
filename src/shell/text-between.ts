/** Refuses a text of which any character belongs to nothing that was understood: no parser can overlook a command. */
export function refuseGaps(text: string, leaves: readonly { pos: number; end: number }[]): string | undefined {
  let at = 0;
  for (const leaf of leaves.toSorted((a, b) => a.pos - b.pos || a.end - b.end)) {
    if (leaf.pos > at && !isBetween(text.slice(at, leaf.pos))) return unread(text.slice(at, leaf.pos));
    at = Math.max(at, leaf.end);
  }
  return isBetween(text.slice(at)) ? undefined : unread(text.slice(at));
}

/** Blanks, comments, continued lines, and one operator at most between two commands. */
function isBetween(gap: string): boolean {
  return /^(?:[ \t\n]|\\\n|#[^\n]*(?:\n|$))*(?:(?:&&|\|\||\||;)(?:[ \t\n]|\\\n|#[^\n]*(?:\n|$))*)?$/.test(gap);
}

function unread(gap: string): string {
  return `${JSON.stringify(gap.trim().slice(0, 40))} is not admitted here; join plain commands by |, &&, || or ;`;
}
