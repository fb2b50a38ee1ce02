import type { OptionList } from "./command-options.ts";

/** What is known of one program that can do more than its name says. */
export interface ProgramDanger {
  /** Completes the sentence that begins with its name: nothing of it is admitted by a prefix. */
  never?: string;
  /** Options that start a program or run code. */
  starts?: OptionList;
  /** Options that only write a file. */
  writes?: OptionList;
  check?(words: readonly string[], named: number): Danger | undefined;
  /** Where the command begins that it runs; 0 where it runs none. */
  inner?(words: readonly string[]): number;
}

export interface Danger {
  /** Names the construct and what to write instead. */
  reason: string;
  /** Anything at all may be started so: no rule that denies can be held. */
  startsCode: boolean;
  /** No further words make it harmless. */
  isFinal: boolean;
}

export function code(reason: string): Danger {
  return { reason, startsCode: true, isFinal: true };
}

export function limit(reason: string): Danger {
  return { reason, startsCode: false, isFinal: true };
}

/** Words are missing: with more of them it may be harmless. */
export function incomplete(reason: string): Danger {
  return { reason, startsCode: true, isFinal: false };
}

/** Whether this names something below the folder where commands start. */
export function isInside(path: string): boolean {
  return /^[^/~\0-]/.test(path) && !path.split("/").includes("..") && !/^[a-z+]+:/i.test(path);
}

/** The text of a list, as a set. */
export function listed(names: string): ReadonlySet<string> {
  return new Set(names.split(/\s+/).filter((name) => name !== ""));
}

/** A program whose first argument says what it does. */
export interface Subcommands {
  /** Which of them any rule about the program admits. */
  open: string;
  /** Those that no prefix admits; all others need a rule that spells them out. */
  never?: string;
  /** Options without a value that may stand before it. */
  flags?: string;
  /** Options that may stand before it with a value, as the next word or behind `=`. */
  valued?: string;
}

/** Where the subcommand stands and which it is, or why that cannot be said. */
export function checkSubcommand(
  words: readonly string[],
  named: number,
  { open, never = "", flags = "", valued = "" }: Subcommands,
): Danger | undefined {
  const at = subcommandAt(words, flags, valued);
  const program = words[0] ?? "";
  const found = words[at];
  if (found === undefined) return undefined;
  if (found.startsWith("-") && listed(open).has(found)) return undefined;
  if (found.startsWith("-") && namesSubcommand(words.slice(0, named), open)) return undefined;
  if (found.startsWith("-")) return limit(`the option ${found} before a subcommand of ${program} is not admitted`);
  if (listed(never).has(found)) return code(`${program} ${found} runs other programs; have it done another way`);
  if (listed(open).has(found) || at < named) return undefined;
  return limit(`${program} ${found.replaceAll("\0", "*")} needs a rule that names it: Bash(${program} ${found}:*)`);
}

/** Whether a rule ends with a subcommand, which is not the value of an option before it. */
function namesSubcommand(rule: readonly string[], open: string): boolean {
  const before = rule.at(-2) ?? "-";
  return listed(open).has(rule.at(-1) ?? "") && (!before.startsWith("-") || before.includes("="));
}

/** The first argument that is none of these flags, nor one that takes a value, nor its value. */
export function subcommandAt(words: readonly string[], flags: string, valued = ""): number {
  const known = { alone: listed(flags), taking: listed(valued) };
  let at = 1;
  for (let length = flagAt(words, at, known); length > 0; length = flagAt(words, at, known)) at += length;
  return at;
}

/** How many words it takes; 0 where none stands there. */
function flagAt(
  words: readonly string[],
  at: number,
  { alone, taking }: Record<"alone" | "taking", ReadonlySet<string>>,
): number {
  const word = words[at] ?? "";
  if (alone.has(word)) return 1;
  if (taking.has(word)) return isInside(words[at + 1] ?? "-") ? 2 : 0;
  const [name = "", value] = word.split(/=(.*)/s);
  return value !== undefined && taking.has(name) && isInside(value) ? 1 : 0;
}
