import { distance } from "fastest-levenshtein";

/** The known word that `text` most likely meant: at most a third of it mistyped (two letters in a short one). */
export function nearest(text: string, known: readonly string[]): string | undefined {
  // A longer word is no typing error, and the distance costs the product of the lengths.
  if (text.length > 64) return undefined;
  const asked = text.toLowerCase();
  const ranked = known
    .map((word) => ({ word, far: distance(asked, word.toLowerCase()) }))
    .sort((one, other) => one.far - other.far);
  const best = ranked[0];
  return best && best.far <= Math.max(2, Math.floor(text.length / 3)) && best.far < text.length ? best.word : undefined;
}
