/** Refuses a text that a person would read otherwise than a shell does, or that is too long for either. */

const mostBytes = 16_384;
/** Neither of the two ordinary ones, tab and newline, nor a space: all else that is not seen, or turns the line around. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Cn}\p{Co}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Why this text cannot be a command at all; undefined for an ordinary one. */
export function refusedText(text: string): string | undefined {
  if (Buffer.byteLength(text) > mostBytes) return `a command has at most ${mostBytes} bytes; put the rest into a file`;
  if (/^[\t\n -~]*$/.test(text)) return undefined;
  const found = text.match(unseen)?.find((character) => !/[\t\n ]/.test(character));
  if (found === undefined) return undefined;
  const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `it holds the character U+${code}, which is not seen as it is read; leave it out`;
}
