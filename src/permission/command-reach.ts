import type { CommandRule } from "../protocol/scope.ts";
import type { FoundWord } from "../shell/found-word.ts";
import { programName } from "../shell/runners.ts";

/**
 * Whether a command could be one that a rule speaks of, for rules that forbid or ask: by whatever path the program is
 * called, with options before and between the words, and with parts that only the shell will know. It may say yes too
 * often, never no.
 */
export function couldReach(words: readonly FoundWord[], rule: Pick<CommandRule, "words" | "isWhole">): boolean {
  const wanted = rule.words;
  if (wanted === undefined) return words.length > 0;
  const [program, ...rest] = words;
  if (program === undefined || !couldBeProgram(program, wanted[0] ?? "")) return false;
  const state = { words: rest, wanted: wanted.slice(1), isWhole: rule.isWhole === true, program: wanted[0] ?? "" };
  return program.isList || follows(state, 0, 0);
}

interface Comparison {
  words: readonly FoundWord[];
  wanted: readonly string[];
  isWhole: boolean;
  program: string;
}

function couldBeProgram(word: FoundWord, wanted: string): boolean {
  return couldBe(word.value, wanted) || couldBe(programName(word.value), programName(wanted));
}

function follows(state: Comparison, at: number, matched: number): boolean {
  const word = state.words[at];
  const wanted = state.wanted[matched];
  if (wanted === undefined) return !state.isWhole || state.words.slice(at).every(isOption);
  if (word === undefined) return false;
  if (word.isList) return true;
  if (couldMean(state, word.value, wanted) && follows(state, at + 1, matched + 1)) return true;
  if (wanted === "run" && runsAnyway.has(state.program) && follows(state, at, matched + 1)) return true;
  return isOption(word) && skips(state, at).some((next) => follows(state, next, matched));
}

/** These run a script without the word `run` too. */
const runsAnyway: ReadonlySet<string> = new Set(["yarn", "pnpm", "bun"]);

/** npm and those like it know their subcommands by other names, and npm by their beginnings. */
function couldMean({ program }: Comparison, value: string, wanted: string): boolean {
  if (couldBe(value, wanted)) return true;
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(program)) return false;
  if (value.length > 1 && wanted.startsWith(value)) return true;
  return synonyms.some((names) => names.includes(value) && names.includes(wanted));
}

const synonyms: readonly (readonly string[])[] = [
  ["run", "run-script", "rum", "urn"],
  ["test", "t", "tst"],
  ["exec", "x", "dlx"],
  ["install", "i", "in", "add", "isntall"],
  ["uninstall", "un", "unlink", "remove", "rm", "r"],
  ["ci", "clean-install", "ic"],
];

/** Past an option, and past the value it may have. */
function skips({ words, program }: Comparison, at: number): number[] {
  const { value } = words[at] ?? { value: "" };
  if (program === "git" && gitTakesValue.has(value)) return [at + 2];
  return value.includes("=") ? [at + 1] : [at + 1, at + 2];
}

const gitTakesValue: ReadonlySet<string> = new Set(["-C", "-c", "--git-dir", "--work-tree", "--namespace"]);

function isOption({ value, isList }: FoundWord): boolean {
  return isList || value.startsWith("-") || value.startsWith("\0") || value.startsWith("+");
}

/** A NUL stands for any text. */
function couldBe(value: string, wanted: string): boolean {
  if (!value.includes("\0")) return value === wanted;
  const parts = value.split("\0");
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (!wanted.startsWith(first) || !wanted.slice(first.length).endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = wanted.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= wanted.length - last.length;
}
