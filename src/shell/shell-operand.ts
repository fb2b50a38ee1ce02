import type { FoundWord } from "./found-word.ts";
import { programName } from "./runners.ts";

/**
 * How many words behind the shell's own name decide what it runs: its options and its script, or the file of it. For a
 * shell whose options are not known here it is all of them.
 */
export function shellOperandAt(words: readonly FoundWord[]): number {
  const given = words.slice(1);
  if (!/^(?:(?:ba|da)?sh|source|\.)$/.test(programName(words[0]?.value ?? ""))) return given.length;
  const at = given.findIndex(({ value }, index) => !/^[-+]/.test(value) && !takesValue(given[index - 1]?.value ?? ""));
  return at < 0 ? given.length : at + 1;
}

function takesValue(option: string): boolean {
  return /^(?:[-+]\w*[oO]|--rcfile|--init-file)$/.test(option);
}
