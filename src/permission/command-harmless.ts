import type { FoundWord } from "../shell/found-word.ts";
import { programName } from "../shell/runners.ts";

/**
 * Arguments that no rule about other words admits, but that start nothing: they write a file, move to a folder, set a
 * plain value. A rule that forbids some commands need not fear them, so it judges the rest of the words.
 */
export function withoutHarmless(words: readonly string[]): readonly string[] {
  const program = nameOf(words[0] ?? "");
  if (program === "git") return withoutSettings(words);
  if (isAwk.test(program)) return words.map((word) => word.replaceAll(">", "<"));
  const known = harmless[program];
  return known === undefined ? words : words.filter((word, at) => !isHarmless(known, { word, at, words }));
}

/**
 * Values that a builder may start as a program: `make CC=x`, `cmake -DCMAKE_C_COMPILER=x`. Whatever they are called
 * with is unknown.
 */
export function definedPrograms(words: readonly FoundWord[]): (readonly FoundWord[])[] {
  if (!builders.test(nameOf(words[0]?.value ?? ""))) return [];
  return words.slice(1).flatMap(({ value }) => {
    const defined = /^(?:-[DP]|--define=)?[A-Za-z_][\w.-]*(?::[A-Z]+)?[:+?!]*=(.+)$/s.exec(value)?.[1];
    return defined === undefined
      ? []
      : [
          [
            { value: defined, isList: false },
            { value: "\0", isList: true },
          ],
        ];
  });
}

const builders = /^(?:make|ninja|cmake|just|task|rake|mvn|mvnw|gradle|gradlew|ant)$/;
const isAwk = /^(?:awk|mawk|nawk|gawk|original-awk)$/;

function nameOf(word: string): string {
  const name = programName(word);
  return /^g(?:make|sed|date)$/.test(name) ? name.slice(1) : name;
}

interface Harmless {
  /** Words that are harmless by themselves. */
  alone?: RegExp;
  /** Options that are, with the next word where that fits. */
  pair?: RegExp;
  value?: RegExp;
}

interface Argument {
  word: string;
  at: number;
  words: readonly string[];
}

function isHarmless({ alone, pair, value = /^/ }: Harmless, { word, at, words }: Argument): boolean {
  if (at === 0) return false;
  if (alone?.test(word) || (pair?.test(word) && value.test(words[at + 1] ?? ""))) return true;
  return at > 1 && pair?.test(words[at - 1] ?? "") === true && value.test(word);
}

/** A value without anything that a shell, or another option within it, could be made of. */
const definition = "[A-Za-z_][\\w.-]*(?::[A-Z]+)?=[\\w.,:/+-]*";
const compiler: Harmless = { alone: /^-B./, pair: /^-B$/ };

const harmless: Readonly<Record<string, Harmless>> = Object.assign(Object.create(null), {
  sed: { alone: /^(?:-[nErsuz]*i.*|--i[a-z-]*(?:=.*)?)$/s },
  date: { alone: /^/ },
  openssl: { alone: /^-(?:out|keyout|writerand|passin|passout)$/ },
  make: {
    alone: /^(?:-C.+|--directory=.*|(?!SHELL|MAKE|GNUMAKE)[A-Za-z_]\w*[:+?]*=[\w.,:/+-]*)$/,
    pair: /^(?:-C|--directory)$/,
  },
  ninja: { alone: /^-C./, pair: /^-C$/ },
  cmake: {
    alone: new RegExp(`^(?:-D${definition}|-G.+|--preset=.*)$`),
    pair: /^(?:-D|-G|-S|-B|--preset)$/,
    value: new RegExp(`^(?:${definition}|[\\w ./-]+)$`),
  },
  mvn: { alone: new RegExp(`^-D(?:${definition}|[\\w.-]+)$`) },
  gradle: { alone: new RegExp(`^-P(?:${definition}|[\\w.-]+)$`), pair: /^(?:-p|--project-dir)$/ },
  gcc: compiler,
  cc: compiler,
  "g++": compiler,
  "c++": compiler,
  clang: compiler,
  "clang++": compiler,
  rustc: { alone: codegen("^(?:-C|--codegen=)"), pair: /^(?:-C|--codegen)$/, value: codegen("^") },
  pytest: { alone: /^-pno:/, pair: /^-p$/, value: /^no:/ },
});

function codegen(before: string): RegExp {
  const names =
    "opt-level|debuginfo|target-cpu|target-feature|lto|panic|codegen-units|strip|overflow-checks|debug-assertions|incremental|embed-bitcode|instrument-coverage|metadata|extra-filename";
  return new RegExp(`${before}(?:${names})(?:=[\\w.,:/+-]*)?$`);
}

/** git without settings that name no program: `-c user.name=x`, and `config user.name x`. */
function withoutSettings(words: readonly string[]): readonly string[] {
  const plain = words.filter(
    (word, at) =>
      !(at > 0 && word === "-c" && setting.test(words[at + 1] ?? "")) &&
      !(at > 1 && words[at - 1] === "-c" && setting.test(word)),
  );
  const at = plain.indexOf("config");
  const given = plain
    .slice(at + 1)
    .filter((word) => !/^--(?:global|local|worktree|add|replace-all|unset|unset-all)$/.test(word));
  const isSetting = at > 0 && setting.test(given[0] ?? "") && given.length <= 2;
  return isSetting ? [...plain.slice(0, at + 1), "--get", given[0] ?? ""] : plain;
}

const setting = new RegExp(
  `^(?:${[
    "user\\.(?:name|email|signingkey)",
    "core\\.(?:autocrlf|eol|safecrlf|filemode|ignorecase|quotepath|longpaths|abbrev|precomposeunicode)",
    "core\\.pager=(?:cat)?$|core\\.editor=true$",
    "color\\.[\\w.-]+|column\\.\\w+|advice\\.\\w+|log\\.(?:date|abbrevcommit|decorate)|init\\.defaultbranch",
    "pull\\.(?:rebase|ff)|push\\.(?:default|autosetupremote|followtags)|fetch\\.(?:prune|parallel)|merge\\.(?:ff|conflictstyle)",
    "rebase\\.(?:autostash|autosquash)|rerere\\.enabled|commit\\.gpgsign|tag\\.gpgsign|diff\\.(?:algorithm|renames|noprefix)",
  ].join("|")})(?:=|$)`,
  "i",
);
