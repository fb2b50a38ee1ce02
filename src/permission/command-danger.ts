import { isRunner, isShell, programName } from "../shell/runners.ts";
import { buildPrograms } from "./command-build.ts";
import { dangerOfBuiltin } from "./command-builtins.ts";
import { filePrograms } from "./command-files.ts";
import { checkGit } from "./command-git.ts";
import { handingOnPrograms } from "./command-handing-on.ts";
import { interpreters } from "./command-interpreters.ts";
import { languagePrograms } from "./command-languages.ts";
import { makePrograms } from "./command-make.ts";
import { neverPrograms } from "./command-never.ts";
import { findOption } from "./command-options.ts";
import { packagePrograms } from "./command-packages.ts";
import { code, type Danger, limit, type ProgramDanger } from "./command-program.ts";
import { textPrograms } from "./command-text.ts";
import { unwrap, wrappers } from "./command-unwrap.ts";

/**
 * What no rule admits by its first words alone: arguments that make an ordinary program start another one, run code or
 * write a file. A rule that spells the whole command out is not asked.
 */
export function dangerOf(words: readonly string[], named: number): Danger | undefined {
  const program = canonical(programName(words[0] ?? ""));
  if (wrappers.has(program)) return dangerOfWrapper(words, named);
  if (isShell(program)) return dangerOfShell(words, named);
  const known = program === "git" ? { check: checkGit } : programs[program];
  if (!known)
    return isRunner(program) ? limit(`${program} runs the rest of its words; write that command by itself`) : undefined;
  return dangerOfKnown(words, { program, known, named });
}

/** Why a rule with these first words could never admit a command; undefined when it could. */
export function neverAdmitted(words: readonly string[]): string | undefined {
  const danger = dangerOfBuiltin(words) ?? dangerOf(words, words.length);
  return danger?.isFinal ? danger.reason : undefined;
}

const programs: Readonly<Record<string, ProgramDanger>> = Object.assign(
  Object.create(null),
  neverPrograms,
  filePrograms,
  textPrograms,
  interpreters,
  packagePrograms,
  buildPrograms,
  makePrograms,
  languagePrograms,
  handingOnPrograms,
);

/** `python3.12` is python, `gsed` is sed, `x86_64-linux-gnu-gcc-12` is gcc. */
function canonical(program: string): string {
  const crossed =
    /^(?:[a-z\d_.]+-){1,4}(gcc|g\+\+|cc|c\+\+|cpp|clang|clang\+\+|gfortran|ld|ar|nm|strip|objcopy|ranlib)(?:-[\d.]+)?$/;
  const name = program
    .replace(crossed, "$1")
    .replace(
      /^(python|pypy|perl|ruby|php|lua|node|pip|gcc|g\+\+|c\+\+|clang|clang\+\+|cpp|gfortran|pytest|pydoc|ghc|swift|json_pp|prove)-?[\d.]+$/,
      "$1",
    );
  const real = aliases.get(name);
  if (real !== undefined) return real;
  return /^g(?:find|sed|awk|sort|tar|make|split|uniq|date|install|xargs|env|shuf)$/.test(name) ? name.slice(1) : name;
}

/** The same programs by other names; wrappers that a project brings are what they wrap. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "py.test": "pytest",
    mvnw: "mvn",
    mvnd: "mvn",
    gradlew: "gradle",
    bazelisk: "bazel",
    c89: "cc",
    c99: "cc",
  }),
);

interface Known {
  program: string;
  known: ProgramDanger;
  named: number;
}

function dangerOfKnown(words: readonly string[], { program, known, named }: Known): Danger | undefined {
  if (known.never !== undefined) return code(`${program} ${known.never}`);
  const given = words.slice(1);
  const starts = known.starts && findOption(given, known.starts);
  if (starts !== undefined) return code(`${program} with ${shown(starts)} may start another program; leave that out`);
  const writes = known.writes && findOption(given, known.writes);
  if (writes !== undefined) return limit(`${program} with ${shown(writes)} writes elsewhere; use > or the edit tools`);
  const checked = known.check?.(words, named);
  if (checked) return checked;
  const inner = known.inner?.(words) ?? 0;
  return inner > 0 && inner < words.length ? dangerInside(words, { named, inner }) : undefined;
}

/** Rules look through it anyway: one about the wrapper itself has to name what is run. */
function dangerOfWrapper(words: readonly string[], named: number): Danger | undefined {
  const inner = unwrap(words);
  if (inner > 0 && inner < named) return dangerInside(words, { named, inner });
  return limit(`a rule names what ${words[0]} runs: Bash(npm test:*) covers timeout 60 npm test too`);
}

/** A program that runs another: the other must be one that the rule names. */
function dangerInside(words: readonly string[], at: { named: number; inner: number }): Danger | undefined {
  return dangerOf(words.slice(at.inner), Math.max(0, at.named - at.inner));
}

/** A shell with a script is its author's choice, but only with a script that the rule names. */
function dangerOfShell(words: readonly string[], named: number): Danger | undefined {
  const program = programName(words[0] ?? "");
  const script = words[1] ?? "";
  if (named > 1 && /^[\w.][\w./@+-]*$/.test(script) && !script.split("/").includes("..") && program !== ".")
    return undefined;
  return code(`${program} runs anything; write its commands by themselves, or have a rule name the script`);
}

function shown(argument: string): string {
  const text = argument.replaceAll("\0", "*");
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
