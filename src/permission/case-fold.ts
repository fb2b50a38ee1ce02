/**
 * Names as a case-insensitive file system compares them: folded code point by code point, so that a part of a
 * name folds as the whole does. Unicode normalisation is left alone.
 */
export function fold(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, foldCharacter).join("");
}

/** Up, then down: so that the long s and the final sigma fold to the letter they are. */
export function foldCharacter(character: string): string {
  return character.toUpperCase().toLowerCase();
}
