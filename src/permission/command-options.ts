/**
 * Finds options that a rule's author cannot have meant, however they are written: glued to others, abbreviated, with
 * their value attached. It rather takes an argument for an option than the other way round.
 */

/** Which options of a program are looked for. Lists are written as in a manual: `--pre -z -exec`. */
export interface OptionList {
  options: string;
  /** Letters that take a value: what follows them in the same word is no option. */
  valued?: string;
  /** Options that only look as if they held, or began, one that is looked for. */
  safe?: string;
  /** A long option may have one dash: `-prefix`. */
  hasOneDash?: boolean;
  /** Nothing after `--` is the program's own. */
  endsAtDashes?: boolean;
}

/** The first argument that is, or holds, one of them. `given` are the arguments without the program. */
export function findOption(given: readonly string[], list: OptionList): string | undefined {
  const wanted = compile(list);
  const end = list.endsAtDashes ? given.indexOf("--") : -1;
  return (end < 0 ? given : given.slice(0, end)).find((argument) => isWanted(argument, wanted));
}

interface Wanted {
  long: readonly string[];
  /** Options of one dash and several letters, as those of find. */
  words: ReadonlySet<string>;
  letters: string;
  valued: string;
  safe: ReadonlySet<string>;
  hasOneDash: boolean;
}

const compiled = new WeakMap<OptionList, Wanted>();

function compile(list: OptionList): Wanted {
  const known = compiled.get(list);
  if (known) return known;
  const names = list.options.split(/\s+/).filter((name) => name !== "");
  const wanted = {
    long: names.filter((name) => name.startsWith("--")),
    words: new Set(names.filter((name) => /^-[^-]./.test(name))),
    letters: names.flatMap((name) => (/^-[^-]$/.test(name) ? [name.slice(1)] : [])).join(""),
    valued: list.valued ?? "",
    safe: new Set(list.safe?.split(/\s+/)),
    hasOneDash: list.hasOneDash ?? false,
  };
  compiled.set(list, wanted);
  return wanted;
}

function isWanted(argument: string, wanted: Wanted): boolean {
  if (!argument.startsWith("-") || argument.length < 2) return false;
  const name = argument.split("=", 1)[0] ?? "";
  if (wanted.safe.has(argument)) return false;
  if (name.startsWith("--")) return isLong(name, wanted);
  if (wanted.words.has(name) || (wanted.hasOneDash && name.length > 2 && isLong(`-${name}`, wanted))) return true;
  return hasLetter(argument.slice(1), wanted);
}

/** Programs take every beginning of a long option that is not that of another one too. */
function isLong(name: string, { long, safe }: Wanted): boolean {
  return name.length > 2 && !safe.has(name) && long.some((each) => each.startsWith(name));
}

function hasLetter(cluster: string, { letters, valued }: Wanted): boolean {
  for (const letter of cluster) {
    if (letters.includes(letter)) return true;
    if (valued.includes(letter)) return false;
  }
  return false;
}
