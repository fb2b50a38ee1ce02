import type { CommandRule } from "../protocol/scope.ts";

/**
 * Whether a rule speaks of a command, by the words that a program would get as its argv, the program first. Words are
 * compared whole: `npm test` is never the beginning of `npm tests`. Nothing is unwrapped, split or expanded here; what
 * a command's words are is for the caller to know.
 */
export function commandCovers(words: readonly string[], rule: Pick<CommandRule, "words" | "isWhole">): boolean {
  const wanted = rule.words;
  if (wanted === undefined) return true;
  if (words.length < wanted.length || (rule.isWhole === true && words.length > wanted.length)) return false;
  return wanted.every((word, index) => words[index] === word);
}
