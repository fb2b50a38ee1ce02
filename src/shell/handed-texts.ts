import type { FoundWord } from "./found-word.ts";
import { programName } from "./runners.ts";

/**
 * The texts among the words of a program that runs others which may be scripts: by themselves, behind an option, or
 * glued to one, as in `env -S'x y'` and `script --command='x y'`. What is wrong with such a text says nothing, since it
 * may be an ordinary argument, but where it is certain to be a script no part of it may be unknown.
 */
export function handedTexts(words: readonly FoundWord[]): Handed {
  const given = words.slice(1);
  const plain = given.flatMap(({ value }) => (/[\s;|&()<>`$]/.test(value) ? [value] : []));
  const behind = given.flatMap(({ value }, index) =>
    behindOption(value, given[index + 1]?.value, given.slice(index + 1)),
  );
  const texts = [...plain, ...behind.map(({ text }) => text)];
  const names = words.map(({ value }) => programName(value));
  const isUnknown =
    (names.some((name) => joining.has(name)) && given.some(({ value }) => value.includes("\0"))) ||
    (names.some((name) => taking.has(name)) && behind.some(({ text }) => text.includes("\0")));
  return {
    texts: texts.filter((text) => !text.includes("\0")).flatMap((text) => [text, ...unescaped(text)]),
    commands: behind.flatMap(({ text, rest }) => (text.includes("\0") ? [] : continued(text, rest))),
    unreadable: isUnknown ? "a script with an unknown part cannot be looked through" : undefined,
  };
}

interface Handed {
  readonly texts: readonly string[];
  /** Such a text as words, with those that follow: env goes on with them. */
  readonly commands: readonly (readonly FoundWord[])[];
  readonly unreadable: string | undefined;
}

const named = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

/** All their words come to one script. */
const joining = named(`
  trap watch ssh parallel sem hyperfine concurrently entr nodemon expect gdb lldb screen tmux mapfile readarray complete
  compgen bind nix-shell cross-env-shell
`);

/** One of their options has a script as its value. */
const taking = named("env script su runuser su-exec sg newgrp flock npx npm pnpm pnpx yarn bunx bun nix dotenv run0");

interface Behind {
  text: string;
  rest: readonly FoundWord[];
}

/** What may be the script of an option, in the same word or in the next one. */
function behindOption(option: string, next: string | undefined, following: readonly FoundWord[]): Behind[] {
  const long = /^--([a-z][\w-]*)(?:=(.*))?$/s.exec(option);
  if (long) {
    const [, name = "", glued] = long;
    if (!scripted.some((each) => each.startsWith(name))) return [];
    if (glued !== undefined) return [{ text: glued, rest: following }];
    return next === undefined ? [] : [{ text: next, rest: following.slice(1) }];
  }
  const letters = /^-[A-Za-z0-9]+/.exec(option)?.[0] ?? "";
  return [...letters].flatMap((letter, at) => {
    if (at === 0 || !/[cCS]/.test(letter)) return [];
    if (at + 1 < option.length) return [{ text: option.slice(at + 1), rest: following }];
    return next === undefined ? [] : [{ text: next, rest: following.slice(1) }];
  });
}

/** Programs take the beginnings of these too. */
const scripted =
  "split-string command session-command exec execute eval run call callback setup prepare conclude cleanup".split(" ");

/** From each word of it on, as env does: without quotes, and with options and assignments before the program. */
function continued(text: string, rest: readonly FoundWord[]): FoundWord[][] {
  const blank = text.replaceAll(/\\[_tnrfv]/g, " ").replaceAll(/\$\{[^}]*\}/g, "\0");
  const words = blank
    .replaceAll(/["'\\]/g, "")
    .trim()
    .split(/\s+/)
    .map(known);
  return words.slice(0, mostContinued).map((_, at) => [...words.slice(at), ...rest]);
}

/** What a program is called with stands within the first words of such a text. */
const mostContinued = 32;

/** env has escapes of its own for blanks. */
function unescaped(text: string): string[] {
  return /\\[_tnrfv]/.test(text) ? [text.replaceAll(/\\[_tnrfv]/g, " ")] : [];
}

function known(value: string): FoundWord {
  return { value, isList: false };
}
