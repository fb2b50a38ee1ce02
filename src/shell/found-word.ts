import type { Word, WordPart } from "unbash";

/** A word of a command that somebody looks for. Each NUL of its value stands for text that cannot be known here. */
export interface FoundWord {
  readonly value: string;
  /** It may come to any number of words. */
  readonly isList: boolean;
}

/** As much of a word as can be known without running anything. */
export function foundWord(word: Word): FoundWord {
  if (word.parts === undefined) return { value: word.value, isList: false };
  return { value: word.parts.map(knownText).join(""), isList: word.parts.some(isList) };
}

function knownText(part: WordPart): string {
  if (part.type === "DoubleQuoted") return part.parts.map(knownText).join("");
  if (part.type === "Literal" || part.type === "SingleQuoted" || part.type === "AnsiCQuoted") return part.value;
  return "\0";
}

/** Within double quotes only `"$@"` and arrays come to several words. */
function isList(part: WordPart): boolean {
  if (part.type === "DoubleQuoted") return part.parts.some((each) => /^\$(?:@|\{.*[@*])/s.test(each.text));
  return knownText(part) === "\0";
}
