import { filledByFind, filledByInput, mayBeProgram, takesInput } from "./filled-words.ts";
import type { FoundWord } from "./found-word.ts";
import { handedTexts } from "./handed-texts.ts";
import { isPackageRunner, isRunner, isShell, programName } from "./runners.ts";
import { shellOperandAt } from "./shell-operand.ts";

/**
 * What a command hands on to be run: the rest of its words, or texts that are scripts. It knows no options of any
 * program: each word after a runner may be the one that is run, which is a command too many rather than one too few.
 */
export function lookInside(words: readonly FoundWord[], budget = { left: mostLooks }): Inside {
  const program = programName(words[0]?.value ?? "");
  if (program === "eval") return joined(words.slice(1));
  if (renames(program, words)) return { ...nothing, unreadable: `${program} gives commands other names` };
  if (program === "command" && /^-[vV]$/.test(words[1]?.value ?? "")) return nothing;
  if (isShell(program)) return shell(words);
  if (!isFinder(program) && !isRunner(program)) return nothing;
  if (--budget.left < 0 || words.length > mostWords) {
    return { ...nothing, unreadable: "it hands on more commands than can be looked through" };
  }
  return isFinder(program) ? all(executed(words), budget) : run(words, budget);
}

/** `hash -p /bin/x y` makes y another name of x; `enable -f` loads a builtin; fc runs what was run before. */
function renames(program: string, words: readonly FoundWord[]): boolean {
  if (program === "alias" || program === "fc") return true;
  if (program !== "hash" && program !== "enable") return false;
  return words.slice(1).some(({ value, isList }) => isList || /^-\w*[pf]|\0/.test(value));
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
    /^-(?:exec|execdir|ok|okdir|x|X|-exec|-exec-batch)$/.test(value) ? [filledByFind(words.slice(index + 1))] : [],
  );
}

/**
 * A shell gets its script as an argument, or in a file, or from its input, which nobody can see here. Its options and
 * that script or file have to be known to the last character; what follows are only arguments of that.
 */
function shell(words: readonly FoundWord[]): Inside {
  const given = words.slice(1);
  const decided = shellOperandAt(words);
  const decisive = given.slice(0, decided);
  const operands = given.filter(({ value }, at) => !/^[-+]/.test(value) && (at < decided || !/\0|\{\}/.test(value)));
  const isUnknown =
    decisive.some(({ value, isList }) => isList || value.includes("\0")) ||
    given.some(({ value }) => /^\/dev\/|^\/proc\//.test(value));
  const isInput = operands.length === 0 || given.some(({ value }) => value === "-" || /^-[a-z]*s/.test(value));
  const unreadable = isUnknown || isInput ? "what the shell gets to run cannot be known" : undefined;
  const hasScript = given.some(({ value }) => /^-\w*c/.test(value));
  if (hasScript) return { ...nothing, scripts: operands.map(({ value }) => value), unreadable };
  const file = operands[0];
  return { ...nothing, commands: file && file.value !== "{}" ? [given.slice(given.indexOf(file))] : [], unreadable };
}

function run(written: readonly FoundWord[], budget: { left: number }): Inside {
  const takesMore = takesInput(written);
  const words = takesMore ? filledByInput(written) : written;
  const added = takesMore ? [anything] : [];
  const handed = handedTexts(words);
  const starts = words.flatMap((_, index) => (index > 0 && mayStart(words, index) ? [index] : []));
  const commands = [...starts.map((index) => [...words.slice(index), ...added]), ...handed.commands];
  const others = all(
    commands.filter((each) => !isRunner(programName(each[0]?.value ?? ""))),
    budget,
  );
  const opens = takesMore && written.slice(1).some(({ value }) => runsMore(programName(value)));
  const unreadable = opens ? "what xargs hands on cannot be known" : (handed.unreadable ?? others.unreadable);
  return {
    commands: [...commands, ...others.commands],
    scripts: others.scripts,
    texts: [...handed.texts, ...others.texts],
    unreadable,
  };
}

/** What npm and those like it run stands behind their verb: an unknown word further on is an argument. */
function mayStart(words: readonly FoundWord[], index: number): boolean {
  const value = words[index]?.value ?? "";
  if (isSourcing(value)) return words.slice(0, index).every((each) => /^(?:command|builtin|-\w+|--)$/.test(each.value));
  if (/\{\}|\0/.test(value) && !mayBeProgram(words, index)) return false;
  if (!value.includes("\0") || !isPackageRunner(programName(words[0]?.value ?? ""))) return true;
  return words.slice(1, index).every((each) => verbs.test(each.value));
}

const verbs = /^-|^(?:exec|x|dlx|run|run-script|tool|create|node)$/;

/** Only the shell itself knows these: to any other program `.` is a folder. */
function isSourcing(value: string): boolean {
  return value === "." || value === "source";
}

const anything: FoundWord = { value: "\0", isList: true };

/** What is handed on to another runner may be the command itself. */
function runsMore(program: string): boolean {
  if (isSourcing(program) || /^(?:g?xargs|parallel|sem)$/.test(program)) return false;
  return isShell(program) || isRunner(program);
}
