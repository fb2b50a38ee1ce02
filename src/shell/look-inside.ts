import type { FoundWord } from "./found-word.ts";
import { isPackageRunner, isRunner, isShell, programName } from "./runners.ts";

/**
 * What a command hands on to be run: the rest of its words, or texts that are scripts. It knows no options of any
 * program: each word after a runner may be the one that is run, which is a command too many rather than one too few.
 */
export function lookInside(words: readonly FoundWord[], budget = { left: mostLooks }): Inside {
  const program = programName(words[0]?.value ?? "");
  if (program === "eval") return joined(words.slice(1));
  if (program === "alias") return { ...nothing, unreadable: "alias gives commands other names" };
  if (isShell(program)) return shell(words);
  if (!isFinder(program) && !isRunner(program)) return nothing;
  if (--budget.left < 0 || words.length > mostWords) {
    return { ...nothing, unreadable: "it hands on more commands than can be looked through" };
  }
  return isFinder(program) ? all(executed(words), budget) : run(words, budget);
}

function isFinder(program: string): boolean {
  return program === "find" || program === "fd" || program === "fdfind";
}

interface Inside {
  readonly commands: readonly (readonly FoundWord[])[];
  readonly scripts: readonly string[];
  /** Arguments that may be scripts, or just arguments: what is wrong with them says nothing. */
  readonly texts: readonly string[];
  readonly unreadable: string | undefined;
}

/** Commands within commands, and words of one that runs others: a line with more is no ordinary one. */
const mostLooks = 64;
const mostWords = 200;

const nothing: Inside = { commands: [], scripts: [], texts: [], unreadable: undefined };

function joined(words: readonly FoundWord[]): Inside {
  const script = words.map(({ value }) => value).join(" ");
  if (script.includes("\0")) return { ...nothing, unreadable: "what eval gets cannot be known" };
  return { ...nothing, scripts: [script] };
}

/** Each of these, and what it runs in turn. */
function all(commands: readonly (readonly FoundWord[])[], budget: { left: number }): Inside {
  const inner = commands.map((each) => lookInside(each, budget));
  return {
    commands: [...commands, ...inner.flatMap((each) => each.commands)],
    scripts: inner.flatMap((each) => each.scripts),
    texts: inner.flatMap((each) => each.texts),
    unreadable: inner.find((each) => each.unreadable !== undefined)?.unreadable,
  };
}

/** What follows each `-exec`. */
function executed(words: readonly FoundWord[]): (readonly FoundWord[])[] {
  return words.flatMap(({ value }, index) =>
    /^-(?:exec|execdir|ok|okdir|x|X|-exec|-exec-batch)$/.test(value) ? [words.slice(index + 1)] : [],
  );
}

/** A shell gets its script as an argument, or in a file, or from its input, which nobody can see here. */
function shell(words: readonly FoundWord[]): Inside {
  const given = words.slice(1);
  const scripts = given.filter(({ value }) => !/^[-+]/.test(value));
  const isUnknown = given.some(({ value, isList }) => isList || value === "\0" || /^\/dev\/|^\/proc\//.test(value));
  const isInput = scripts.length === 0 || given.some(({ value }) => value === "-" || /^-[a-z]*s/.test(value));
  const unreadable = isUnknown || isInput ? "what the shell gets to run cannot be known" : undefined;
  const hasScript = given.some(({ value }) => /^-\w*c/.test(value));
  if (hasScript) return { ...nothing, scripts: scripts.map(({ value }) => value), unreadable };
  const file = scripts[0];
  return { ...nothing, commands: file ? [given.slice(given.indexOf(file))] : [], unreadable };
}

function run(words: readonly FoundWord[], budget: { left: number }): Inside {
  const added = takesMore(words) ? [anything] : [];
  const starts = words.flatMap((_, index) => (index > 0 && mayStart(words, index) ? [index] : []));
  const commands = starts.map((index) => [...words.slice(index), ...added]);
  const others = all(
    commands.filter((each) => !isRunner(programName(each[0]?.value ?? ""))),
    budget,
  );
  const texts = words
    .slice(1)
    .flatMap(({ value }) => (/[\s;|&()<>`$]/.test(value) && !value.includes("\0") ? [value] : []));
  const opens = added.length > 0 && words.slice(1).some(({ value }) => runsMore(programName(value)));
  const unreadable = opens ? "what xargs hands on cannot be known" : others.unreadable;
  return {
    commands: [...commands, ...others.commands],
    scripts: others.scripts,
    texts: [...texts, ...others.texts],
    unreadable,
  };
}

/** What npm and those like it run stands behind their verb: an unknown word further on is an argument. */
function mayStart(words: readonly FoundWord[], index: number): boolean {
  if (!words[index]?.value.includes("\0") || !isPackageRunner(programName(words[0]?.value ?? ""))) return true;
  return words.slice(1, index).every(({ value }) => /^-|^(?:exec|x|dlx|run|run-script|tool|create|node)$/.test(value));
}

const anything: FoundWord = { value: "\0", isList: true };

/** These add words from their input. */
function takesMore(words: readonly FoundWord[]): boolean {
  return words.some(({ value }) => /^(?:g?xargs|parallel|sem)$/.test(programName(value)));
}

/** What is handed on to another runner may be the command itself. */
function runsMore(program: string): boolean {
  return isShell(program) || (isRunner(program) && !/^(?:g?xargs|parallel|sem)$/.test(program));
}
