/** Chance that can be repeated: the same words and number say the same for ever. It refuses the clock and Math.random. */
export interface Dice {
  /** From 0 up to 1, without 1. */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
}

/** mulberry32 (Tommy Ettinger, public domain), begun at a hash of the words. */
export function diceOf(...words: readonly (string | number)[]): Dice {
  let state = hashOf(words.join(" "));
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, whole: (least, most) => least + Math.floor(next() * (most - least + 1)) };
}

/** FNV-1a of 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash;
}
