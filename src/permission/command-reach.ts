import type { CommandRule } from "../protocol/scope.ts";
import type { FoundWord } from "../shell/found-word.ts";
import { programName } from "../shell/runners.ts";
import { isLifecycle, isPackageManager, mayLeaveOut, meansVerb, runsScripts } from "./package-verbs.ts";

/**
 * Whether a command could be one that a rule speaks of, for rules that forbid or ask: by whatever path the program is
 * called, with options before and between the words, and with parts that only the shell will know. It may say yes too
 * often, never no.
 */
export function couldReach(found: readonly FoundWord[], rule: Pick<CommandRule, "words" | "isWhole">): boolean {
  if (rule.words === undefined) return found.length > 0;
  const words = found.map(asFilled);
  const isWhole = rule.isWhole === true;
  return spellings(rule.words).some((wanted) => reaches(words, wanted, isWhole));
}

/** find, xargs and parallel put any text where `{}` stands. */
function asFilled(word: FoundWord): FoundWord {
  return word.value.includes("{}") ? { ...word, value: word.value.replaceAll("{}", "\0") } : word;
}

/** `git push` is a program of its own too, in git's folder. */
function spellings(wanted: readonly string[]): (readonly string[])[] {
  const [program = "", first = "-", ...rest] = wanted;
  const glued = /^git-(.+)$/.exec(program)?.[1];
  if (glued !== undefined) return [wanted, ["git", glued, ...wanted.slice(1)]];
  return program === "git" && !first.startsWith("-") ? [wanted, [`git-${first}`, ...rest]] : [wanted];
}

function reaches(words: readonly FoundWord[], [first = "", ...others]: readonly string[], isWhole: boolean): boolean {
  const [program, ...rest] = words;
  if (program === undefined || !couldBeProgram(program, first)) return false;
  return program.isList || follows({ words: rest, wanted: others, isWhole, program: first });
}

interface Comparison {
  words: readonly FoundWord[];
  wanted: readonly string[];
  isWhole: boolean;
  program: string;
}

function couldBeProgram({ value, isList }: FoundWord, wanted: string): boolean {
  const name = programName(value);
  // What is unknown may end a folder's name: /bin${x}rm.
  const unknown = /^-|^\w+=/.test(value) ? name : name.slice(Math.max(0, name.indexOf("\0")));
  if (couldBe(value, wanted) || couldBe(unknown, programName(wanted))) return true;
  // What comes to several words has its program before the first part that is unknown, or in it.
  const start = value.slice(0, value.indexOf("\0") + 1);
  return isList && couldBe(programName(start), programName(wanted));
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
  if (wanted === undefined) return [];
  const isDone = mayLeaveOut(state.program, wanted, { next: state.wanted[matched + 1], isLast: word === undefined });
  if (word === undefined) return isDone ? [{ at, matched: matched + 1 }] : [];
  const steps: Place[] = isOption(word) ? skips(state, at).map((next) => ({ at: next, matched })) : [];
  if (couldMean(state, word.value, wanted)) steps.push({ at: at + 1, matched: matched + 1 });
  if (isDone) steps.push({ at, matched: matched + 1 });
  if (runsScripts(state.program, word.value) && isLifecycle(state.program, wanted)) steps.push({ at: at + 1, matched });
  return steps;
}

/** npm and those like it know their subcommands by other names, and npm by their beginnings. */
function couldMean({ program }: Comparison, value: string, wanted: string): boolean {
  if (couldBe(value, wanted)) return true;
  if (!isPackageManager(program)) return false;
  return (value.length > 1 && wanted.startsWith(value)) || meansVerb(value, wanted);
}

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
