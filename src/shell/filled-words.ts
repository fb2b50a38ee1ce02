import type { FoundWord } from "./found-word.ts";
import { isRunner, isShell, programName } from "./runners.ts";
import { shellOperandAt } from "./shell-operand.ts";

/**
 * Places in a command that another program fills with the names of files or with lines of its input: `{}` for find, any
 * text for xargs. All of them are written as `{}` here, which a rule that forbids takes for any text.
 */

/** In the script of a shell a file's name could be a command: that place is unknown then. As an argument it is a name. */
export function filledByFind(command: readonly FoundWord[]): readonly FoundWord[] {
  const at = command.findIndex(({ value }) => isShell(programName(value)));
  const given = command.slice(at + 1);
  if (at < 0 || !given.some(({ value }) => /^-\w*c/.test(value))) return command;
  const last = at + shellOperandAt(command.slice(at));
  return command.map((word, index) => (index > at && index <= last ? unknownIn(word, "{}") : word));
}

function unknownIn(word: FoundWord, place: string): FoundWord {
  return word.value.includes(place) ? { ...word, value: word.value.replaceAll(place, "\0") } : word;
}

/** Whether among these is a program that adds words from its input. */
export function takesInput(words: readonly FoundWord[]): boolean {
  return words.some(isTaker);
}

function isTaker({ value }: FoundWord): boolean {
  return /^(?:g?xargs|parallel|sem)$/.test(programName(value));
}

/** The words of xargs and those like it, with `{}` for each place that it fills. */
export function filledByInput(words: readonly FoundWord[]): readonly FoundWord[] {
  const isParallel = words.some(({ value }) => /^(?:parallel|sem)$/.test(programName(value)));
  const places = words.flatMap(({ value }, index) => {
    const place = /^(?:-\w*?[IJi]|--r[a-z]*=)(.+)$/s.exec(value)?.[1];
    if (place !== undefined) return [{ place, from: index + 1 }];
    return /^-\w*[IJ]$/.test(value) ? [{ place: words[index + 1]?.value ?? "", from: index + 2 }] : [];
  });
  return words.map((word, index) => {
    let value = isParallel ? word.value.replaceAll(/\{[^{}\s]*\}/g, "{}") : word.value;
    for (const { place, from } of places) if (place !== "" && index >= from) value = value.replaceAll(place, "{}");
    return value === word.value ? word : { ...word, value };
  });
}

/** Whether a word with such a place, or an unknown one, may be the program: not behind one that is none of those that start another. */
export function mayBeProgram(words: readonly FoundWord[], index: number): boolean {
  const taker = words.findLastIndex(isTaker);
  if (taker < 0) return true;
  const program = words.findIndex((_, at) => at > taker && isOperand(words, at));
  const name = words[program]?.value ?? "";
  return program < 0 || index <= program || /\{\}|\0/.test(name) || isRunner(programName(name));
}

/** Neither an option nor what may be the value of one. */
function isOperand(words: readonly FoundWord[], at: number): boolean {
  const before = words[at - 1]?.value ?? "";
  const takesValue = /^-\w*[adEIJLnPRsS]$|^--[a-z-]+$/.test(before) && !alone.test(before);
  return !takesValue && !(words[at]?.value ?? "").startsWith("-");
}

const alone = /^--(?:no-run-if-empty|null|verbose|interactive|exit|open-tty)?$/;
