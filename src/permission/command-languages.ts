import { language } from "./command-interpreters.ts";
import { code, type Danger, incomplete, limit, type ProgramDanger } from "./command-program.ts";

/** Compilers and tools of languages that also take code, or a program to run, as an option. */
export const languagePrograms: Readonly<Record<string, ProgramDanger>> = {
  ghc: without(/^(?:-e|--interactive|--run|-pgm|-F$|-fplugin|-plugin|@)/),
  ocaml: language({ plain: /^$/, alone: /^-version$/ }),
  coffee: language({ plain: /^(?:-c|--compile)$/, alone: /^(?:-v|--version)$/ }),
  qjs: language({ plain: /^(?:-m|--module|--std)$/, alone: /^-h$/ }),
  zx: language({ plain: /^--(?:quiet|verbose)$/, alone: /^--version$/ }),
  "ts-node-dev": language({ plain: /^--(?:respawn|transpile-only)$/ }),
  tsnd: language({ plain: /^--(?:respawn|transpile-only)$/ }),
  bb: {
    check: ([, given = ""]) =>
      /^(?:\w[\w./-]*|--version)$/.test(given)
        ? undefined
        : incomplete("bb runs code that it is given; name a file or a task"),
  },
  nim: without(/^(?:e|secret|r|-r|--run|--eval.*|--?\w*\.(?:exe|path|options).*|--?pass[cl].*)$/i),
  crystal: without(/^(?:eval|i|interactive|play|repl|--link-flags.*|--mcpu=.*;.*)$/),
  clojure: { check: checkClojure },
  clj: { check: checkClojure },
  kotlinc: without(/^(?:-J|-e$|-expression|-script|-Xplugin|-P$|@)/),
  "scala-cli": without(/^(?:-e|--execute|--script-snippet|--scala-snippet|--java-snippet|repl|console|shebang)/),
  coverage: { check: checkCoverage, inner: (words) => words.indexOf("-m") + 1 },
  pdb: { never: "runs code that it is given; put it into a script that a rule names" },
  pdb3: { never: "runs code that it is given; put it into a script that a rule names" },
  pydoc: without(/\//),
  pydoc3: without(/\//),
  ...java("javac javadoc jar javap jlink jdeps jarsigner keytool"),
  protoc: { starts: { options: "--plugin", valued: "Io" }, ...without(/^@/) },
  prove: { starts: { options: "-e -M -P --exec --harness --formatter --source", valued: "IjsaT" } },
  rename: { never: "takes code that it runs for each name; use mv" },
  prename: { never: "takes code that it runs for each name; use mv" },
  "file-rename": { never: "takes code that it runs for each name; use mv" },
  json_pp: without(/eval/),
  json_xs: without(/eval|^-\w*e|storable/),
  mlr: without(/system|exec|prepipe|^-n?s$|[|>]/),
  rollup: { starts: { options: "-p --plugin --configPlugin", valued: "cdfgion" } },
  tcc: without(/^-run|^-$|^@/),
  swiftc: without(/^(?:-load-plugin|-plugin|-external-plugin|-Xfrontend|-Xlinker|-Xcc|-tools-directory|-repl|-$|@)/),
  nvcc: without(/^-+(?:ccbin|compiler-bindir|optf|options-file|run)/),
  diff3: { starts: { options: "--diff-program" } },
  sdiff: { starts: { options: "--diff-program" }, writes: { options: "-o --output", valued: "wI" } },
  tcpdump: { starts: { options: "-z --postrotate-command", valued: "cCFGijmMrsTVwWyBDQ" } },
  "ssh-add": { starts: { options: "-s -S", valued: "tTE" } },
};

/** All but with a word like this. */
function without(refused: RegExp): ProgramDanger {
  const check = ([program, ...given]: readonly string[]): Danger | undefined => {
    const word = given.find((each) => refused.test(each));
    return word === undefined
      ? undefined
      : code(`${program} with ${JSON.stringify(word.slice(0, 30))} may run code or another program; leave that out`);
  };
  return { check };
}

function java(names: string): Record<string, ProgramDanger> {
  const options = without(/^(?:-J|@|-Xplugin|--?processor|-doclet)/);
  return Object.fromEntries(names.split(" ").map((name) => [name, options]));
}

/** Aliases of the project only. */
function checkClojure(words: readonly string[]): Danger | undefined {
  const odd = words.find(
    (word) => /^-/.test(word) && !/^-[MXTPA](?::[\w:./-]+)?$|^-Spath$|^-Stree$|^--version$/.test(word),
  );
  return odd === undefined
    ? undefined
    : code(`${words[0]} with ${odd.slice(0, 20)} is not admitted; use an alias of the project`);
}

function checkCoverage(words: readonly string[], named: number): Danger | undefined {
  const at = words.indexOf("-m") + 1;
  const module = words[at] ?? "";
  if (at === 0 || at < named || /^(?:pytest|unittest)$/.test(module)) return undefined;
  return limit(`coverage run -m ${module} needs a rule that names it`);
}
