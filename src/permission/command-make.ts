import { findOption, type OptionList } from "./command-options.ts";
import { code, type Danger, isInside, limit, type ProgramDanger } from "./command-program.ts";

/**
 * Programs that build what a file of the repository says: targets are a rule's choice, but no argument may say which
 * file, or what its recipes run. cmake hands words on to the others, so those are judged as theirs.
 */
export const makePrograms: Readonly<Record<string, ProgramDanger>> = {
  make: { check: (words, named) => checkMake(words, named) },
  gmake: { check: (words, named) => checkMake(words, named) },
  ninja: { check: checkNinja },
  cmake: {
    starts: {
      options:
        "-P -E -C -T --open --install --toolchain --preset --debugger --debugger-pipe --graphviz --trace-redirect",
      valued: "SBjtDGAUW",
      endsAtDashes: true,
    },
    check: checkCmake,
  },
};

const makeOptions: OptionList = {
  options: "-f -E -I -e --file --makefile --directory --eval --include-dir --environment-overrides",
  valued: "oW",
};
const ninjaOptions: OptionList = { options: "-f", valued: "jkldtw" };

/** Variables and targets reach the recipes' shell as they are: `make T='x; y'`. */
export function checkTargets(words: readonly string[], named: number): Danger | undefined {
  const odd = words.find(
    (word, index) => index >= Math.max(1, named) && !/^(?:--[\w-]+=[\w.-]*|[\w./%+@:,\0-]+)$/.test(word),
  );
  if (odd === undefined) return undefined;
  return code(
    `${words[0]} with ${JSON.stringify(odd.slice(0, 30))} may change what its recipes run; name plain targets only`,
  );
}

function checkMake(words: readonly string[], named: number): Danger | undefined {
  return checkOptions(words, makeOptions) ?? checkTargets(words, named);
}

function checkNinja(words: readonly string[]): Danger | undefined {
  return checkOptions(words, ninjaOptions);
}

/** Behind `-C`, written by itself, stands a folder below. */
function checkOptions(words: readonly string[], list: OptionList): Danger | undefined {
  const found = findOption(words.slice(1), list) ?? words.find((word) => /^-[^-].*C|^-C./.test(word));
  if (found !== undefined)
    return code(`${words[0]} with ${JSON.stringify(found.slice(0, 30))} may start another program; leave that out`);
  const moves = words.some((word, index) => word === "-C" && !isInside(words[index + 1] ?? "/"));
  return moves
    ? code(`${words[0]} -C is admitted only with a folder of the repository, by a relative path`)
    : undefined;
}

function checkCmake(words: readonly string[]): Danger | undefined {
  const dashes = words.indexOf("--");
  const own = dashes < 0 ? words : words.slice(0, dashes);
  const handed = dashes < 0 ? [] : [words[0] ?? "", ...words.slice(dashes + 1)];
  return checkMake(handed, 0) ?? checkNinja(handed) ?? checkFolders(own) ?? checkDefinitions(own);
}

function checkFolders(words: readonly string[]): Danger | undefined {
  const folders = valuesOf(words, /^-[SB]/);
  return folders.every(isInside)
    ? undefined
    : code("cmake is admitted only with folders of the repository: -S FOLDER -B FOLDER");
}

/** `CMAKE_BUILD_TYPE=Debug`; nothing by whose name a program, a file or an option may be chosen. */
function checkDefinitions(words: readonly string[]): Danger | undefined {
  const given = valuesOf(words, /^-D/);
  if (given.some((text) => chooses.test(text.split(/[:=]/, 1)[0] ?? "") || text.includes("\0")))
    return code("cmake -D is not admitted for a program, a path or a flag: it may start another program");
  return given.every((text) => /^[A-Z][A-Z0-9_]*(?::[A-Z]+)?=[\w.+-]*$/.test(text))
    ? undefined
    : limit("cmake -D is admitted with a plain word: -DCMAKE_BUILD_TYPE=Debug");
}

const chooses =
  /LAUNCHER|COMMAND|COMPILER|PROGRAM|LINKER|TOOL|EXEC|MAKE_MAKE|INCLUDE|MODULE|FILE|PATH|DIR|FLAGS|PREFIX|EMULATOR|RUN|HOOK|SHELL|SCRIPT|CLANG|CPP|USING/i;

/** What an option of one letter is given, in the same word or the next. */
function valuesOf(words: readonly string[], letter: RegExp): string[] {
  return words.flatMap((word, index) => {
    if (!letter.test(word)) return [];
    return [word.length > 2 ? word.slice(2) : (words[index + 1] ?? "")];
  });
}
