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
  const [first = "", ...others] = wanted;
  return program.isList || follows({ words: rest, wanted: others, isWhole: rule.isWhole === true, program: first });
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

/** Tries all ways to find the wanted words among these, each place once. */
function follows(state: Comparison): boolean {
  const tried = new Set<string>();
  const open: Place[] = [{ at: 0, matched: 0 }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const key = `${place.at} ${place.matched}`;
    if (tried.has(key)) continue;
    tried.add(key);
    if (isEnd(state, place)) return true;
    open.push(...stepsFrom(state, place));
  }
  return false;
}

/** How many words were passed, and how many of those wanted were found. */
interface Place {
  at: number;
  matched: number;
}

function isEnd({ words, wanted, isWhole }: Comparison, { at, matched }: Place): boolean {
  if (matched < wanted.length) return words[at]?.isList === true;
  return !isWhole || words.slice(at).every(isOption);
}

function stepsFrom(state: Comparison, { at, matched }: Place): Place[] {
  const word = state.words[at];
  const wanted = state.wanted[matched];
  if (word === undefined || wanted === undefined) return [];
  const steps: Place[] = isOption(word) ? skips(state, at).map((next) => ({ at: next, matched })) : [];
  if (couldMean(state, word.value, wanted)) steps.push({ at: at + 1, matched: matched + 1 });
  if (wanted === "run" && runsAnyway.has(state.program)) steps.push({ at, matched: matched + 1 });
  return steps;
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
