import { code, type Danger, incomplete, isInside, limit, type ProgramDanger } from "./command-program.ts";

/**
 * Languages: what runs a file of the repository is a rule's choice; code among the arguments, or from the input, is not
 * admitted by any prefix, since no rule could then be held.
 */
export interface Language {
  /** All the options that may stand before the script. */
  plain: RegExp;
  /** What may be its only argument. */
  alone?: RegExp;
  /** With this it finds the files to run by itself. */
  finds?: string;
  /** Takes the name of an installed package. */
  loads?: RegExp;
}

const version = /^(?:--version|-v|-V|--help|-h)$/;

/** None of these takes the word behind it: `--trace-event-categories v8 -e code` does. */
const node: Language = {
  plain:
    /^(?:--enable-source-maps|--no-warnings|--trace-(?:deprecation|exit|promises|sigint|sync-io|tls|uncaught|warnings)|--experimental-(?:strip-types|transform-types|vm-modules)|--experimental-test-(?:coverage|module-mocks|snapshots)|--test(?:-(?:only|force-exit|update-snapshots|concurrency=\d+|timeout=\d+|name-pattern=.*|skip-pattern=.*|reporter=(?:spec|tap|dot|junit)))?|--max-old-space-size=\d+|--stack-trace-limit=\d+|--unhandled-rejections=\w+|--check|-c|--watch|--preserve-symlinks|--import=(?:@[\w.-]+\/)?\w[\w.-]*(?:\/\w[\w.-]*)*)$/s,
  alone: version,
  finds: "--test",
  loads: /^--import$/,
};
const python: Language = { plain: /^-[uBOsSEIqvbd]+$/, alone: version };

export const interpreters: Readonly<Record<string, ProgramDanger>> = {
  node: language(node),
  nodejs: language(node),
  "ts-node": language({ plain: /^(?:--esm|--transpile-only|-T|--files)$/ }),
  tsx: language({ plain: /^--no-warnings$/, alone: version }),
  python: { check: checkPython, inner: (words) => words.indexOf("-m") + 1 },
  pypy: language(python),
  perl: language({ plain: /^-[wWtTcX]+$/, alone: /^-v$/ }),
  ruby: language({ plain: /^-(?:[wc]+|W\d?)$/, alone: version }),
  php: language({ plain: /^-[nlq]+$/, alone: /^(?:-v|-i|-m|--version)$/ }),
  lua: language({ plain: /^-W$/ }),
  luajit: language({ plain: /^$/ }),
  rscript: language({ plain: /^--(?:vanilla|no-save|no-restore)$/, alone: /^--version$/ }),
  julia: language({ plain: /^--(?:project(?:=[.@]?)?|color=\w+|startup-file=no)$/, alone: version }),
  elixir: language({ plain: /^--no-halt$/, alone: version }),
  java: {
    check: (words) =>
      words.some((word) =>
        /^(?:-javaagent|-agent|\/(?:dev|proc)\/|-XX:(?:On|Flags|VMOptions|\+?UseOS)|-Xrun|-Xbootclasspath|@)/.test(
          word,
        ),
      )
        ? code("java with an agent, a file of options or a command for errors is not admitted; leave that out")
        : undefined,
  },
  deno: { check: (words, named) => checkDeno(words, named) },
};

export function language(known: Language): ProgramDanger {
  return { check: (words) => checkScript(words, known) };
}

function checkScript(words: readonly string[], { alone, finds = "", ...known }: Language): Danger | undefined {
  const program = words[0] ?? "";
  const at = words.findIndex((_, index) => index > 0 && !isPlain(words, index, known));
  const given = at < 0 ? undefined : words[at];
  if (words.length === 2 && alone?.test(words[1] ?? "")) return undefined;
  if (given === undefined && words.includes(finds)) return undefined;
  if (given === undefined)
    return incomplete(`${program} without a script runs its input; name a file of the repository`);
  if (given.startsWith("-") && given !== "-") {
    return code(
      `${program} with ${given.slice(0, 20)} is not admitted before the script; put the code into a file and run that`,
    );
  }
  if (isInside(given) && given !== "-") return undefined;
  return code(`${program} is admitted only with a file of the repository, by a relative path; put the code into one`);
}

function isPlain(words: readonly string[], at: number, { plain, loads }: Pick<Language, "plain" | "loads">): boolean {
  const isPackage = (word: string) => /^(?:@[\w.-]+\/)?\w[\w.-]*(?:\/\w[\w.-]*)*$/.test(word);
  if (plain.test(words[at] ?? "")) return true;
  if (loads === undefined) return false;
  if (loads.test(words[at] ?? "")) return isPackage(words[at + 1] ?? "");
  return loads.test(words[at - 1] ?? "") && isPackage(words[at] ?? "");
}

/** `python -m pytest`: a module that the rule names and that is not itself a way to give code. */
function checkPython(words: readonly string[], named: number): Danger | undefined {
  const at = words.findIndex((word, index) => index > 0 && !python.plain.test(word));
  if (words[at] !== "-m") return checkScript(words, python);
  const name = words[at + 1];
  if (name === undefined) return incomplete("python -m needs a module");
  if (/^(?:code|timeit|pdb|trace|runpy|profile|cProfile|idlelib|asyncio|doctest|site)$/.test(name)) {
    return code(`python -m ${name} runs code from its arguments or its input; put it into a file`);
  }
  if (at + 1 < named) return undefined;
  return limit(`python -m ${name} needs a rule that names it: Bash(${words.slice(0, at + 2).join(" ")}:*)`);
}

function checkDeno(words: readonly string[], named: number): Danger | undefined {
  const verb = words[1];
  if (verb === undefined) return incomplete("deno without a subcommand runs its input");
  if (/^(?:test|lint|fmt|check|doc|info|task|--version)$/.test(verb)) return undefined;
  if (/^(?:eval|repl)$/.test(verb))
    return code(`deno ${verb} runs code from its arguments or its input; put it into a file`);
  if (verb !== "run" || named < 2)
    return limit(`deno ${verb} is not admitted; deno test, lint, fmt, check and task are`);
  const script = words.slice(2).find((word) => !word.startsWith("-"));
  return script !== undefined && isInside(script)
    ? undefined
    : code("deno run is admitted only with a file of the repository");
}
