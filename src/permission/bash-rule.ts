import type { CommandRule } from "../protocol/scope.ts";
import { refuseRule } from "./rule-refusal.ts";

/**
 * The words of a `Bash(...)` rule. They are argv, not shell: nothing in them is a quote, an operator or a wildcard, and
 * what looks like one is refused, since a command is compared word by word. Throws Fault `rule`.
 */
export function parseBashRule(id: string, specifier: string | undefined): CommandRule {
  if (specifier === undefined) return { id, tool: "Bash" };
  const reason = refusedText(specifier);
  if (reason) throw refuseRule(id, ...reason);
  const isPrefix = /(?::\*|[ \t]+\*)\s*$/.test(specifier);
  const text = isPrefix ? specifier.replace(/(?::\*|[ \t]+\*)\s*$/, "") : specifier;
  const words = text.split(/[ \t]+/).filter((word) => word !== "");
  const refused = refusedWords(words, { isPrefix, text });
  if (refused) throw refuseRule(id, ...refused);
  return { id, tool: "Bash", words, ...(isPrefix ? {} : { isWhole: true }) };
}

type Refused = [reason: string, remedy: string];

/** Most characters of a command that is admitted at all. */
const mostCharacters = 4_096;

function refusedText(text: string): Refused | undefined {
  if (text.length > mostCharacters) return [`it is longer than ${mostCharacters} characters`, "write a shorter prefix"];
  if (!text.isWellFormed()) return ["it holds half a character", "write it as valid Unicode"];
  if (/\r|\n/.test(text)) return ["it holds a line break, and each rule is about one command", "write a rule for each"];
  if (invisible.test(text)) return ["it holds a character that cannot be seen", "type it again with plain spaces"];
  const operator = /[;|&<>`$]|\(|\)/.exec(text)?.[0];
  if (operator) {
    return [
      `${JSON.stringify(operator)} is of the shell, and a rule is compared with the words of one command`,
      "write the words of each command in a rule of its own; every command of a line must be allowed",
    ];
  }
  const quote = /['"\\]/.exec(text)?.[0];
  if (quote)
    return [`it holds ${JSON.stringify(quote)}, and words are compared without quotes`, "write the bare words"];
  return undefined;
}

/** Control and format characters, and spaces that are not the space. */
const invisible = /[[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Z}]--[\t\r\n ]]/v;

function refusedWords(words: readonly string[], { isPrefix, text }: { isPrefix: boolean; text: string }) {
  const [program] = words;
  if (program === undefined || /^\*+$/.test(text.trim())) return anyCommand;
  const starred = words.find((word) => word.includes("*"));
  if (starred !== undefined) return refusedStar(starred, words);
  const wild = words.find((word) => /[?[\]{}]/.test(word));
  if (wild !== undefined) return wildcard(wild);
  return refusedStart(words) ?? (isPrefix ? refusedEnd(words, text) : undefined);
}

const anyCommand: Refused = ["it names no command", "write Bash alone to mean every command"];

function refusedStar(word: string, words: readonly string[]): Refused {
  const before = words.slice(0, words.indexOf(word)).join(" ");
  const isLast = words.at(-1) === word;
  if (isLast && /^[^*]+\*$/.test(word)) {
    const stem = `${before} ${word.replace(/[:*]+$/, "")}`.trim();
    return ["a star that is glued to a word would match the beginning of another word", `write Bash(${stem}:*)`];
  }
  const remedy = before === "" ? "write the program's name" : `write Bash(${before}:*) for all that begins so`;
  return ["a star stands only at the end, after a whole word", remedy];
}

function wildcard(word: string): Refused {
  return [`${JSON.stringify(word)} holds a wildcard, and words are compared as they are`, "write the words themselves"];
}

function refusedStart(words: readonly string[]): Refused | undefined {
  const [program = ""] = words;
  if (/^[A-Za-z_]\w*\+?=/.test(program)) {
    return ["an assignment is not part of a command's words", "leave it out; CI=1 and the like may stand before any"];
  }
  const odd = words.find((word) => /^[~#!]/.test(word) && word !== "!=");
  if (odd === undefined) return undefined;
  return [
    `the shell would not pass on ${JSON.stringify(odd)} as it is written`,
    "write the word that the program gets",
  ];
}

function refusedEnd(words: readonly string[], text: string): Refused | undefined {
  const last = words.at(-1) ?? "";
  if (!/\s$/.test(text) && !last.endsWith(":")) return undefined;
  const stem = words.join(" ").replace(/:+$/, "").trim();
  return ["what may follow is written directly after the last word", `write Bash(${stem}:*)`];
}
