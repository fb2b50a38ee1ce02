import { checkTargets } from "./command-make.ts";
import { findOption, type OptionList } from "./command-options.ts";
import { checkSubcommand, code, type Danger, isInside, limit, type ProgramDanger } from "./command-program.ts";

/** Build tools and test runners: they run what the project says, and a prefix does not let arguments say otherwise. */

export const buildPrograms: Readonly<Record<string, ProgramDanger>> = {
  just: maker({
    options: `-f -d -c -E --justfile --working-directory --shell --shell-arg --command --set --dotenv-path --dotenv-filename
      --edit --choose --chooser --init --shell-command`,
  }),
  task: maker({ options: "-t -d --taskfile --dir --global -g" }),
  rake: maker({
    options: `-e -E -f -r -R -p -I -N -g -C --execute --execute-continue --execute-print --rakefile --require --rakelib
      --rakelibdir --libdir --system --directory`,
  }),
  ctest: {
    starts: { options: "-S -SP -D --script --script-new-process --build-and-test --test-command", valued: "RELjICT" },
  },
  gradle: maker({
    options: `-I -b -p -c -g -D -P --init-script --build-file --project-dir --settings-file --gradle-user-home --include-build
      --project-prop --system-prop`,
    valued: "x",
  }),
  mvn: {
    starts: {
      options: "-f -s -gs -t -gt --file --settings --global-settings --toolchains --global-toolchains --define",
      valued: "DTPpl",
      safe: "-ntp -nsu -fae -ff -fn -npr -npu -nst",
    },
    check: checkMaven,
  },
  ant: {
    starts: { options: "-f -file -buildfile -lib -logger -listener -propertyfile -find -s -inputhandler -main -D" },
  },
  go: {
    starts: {
      options:
        "-exec --exec -toolexec --toolexec -overlay --overlay -modfile --modfile -vettool --vettool -gccgoflags --gccgoflags -C",
    },
    check: checkGo,
  },
  cargo: { starts: { options: "--config -Z -C --open", valued: "jpF", endsAtDashes: true }, check: checkCargo },
  rustc: { starts: { options: "-C --codegen -Z", valued: "LlO" } },
  rustdoc: {
    starts: {
      options: "-C --codegen -Z --runtool --runtool-arg --test-runtool --test-runtool-arg --test-builder",
      valued: "LlO",
    },
  },
  bazel: {
    starts: {
      options: `--run_under --script_path --bazelrc --host_jvm_args --workspace_status_command --repo_env --action_env
        --shell_executable --python_path --override_repository --override_module --extra_toolchains --crosstool_top`,
    },
    check: (words, named) =>
      checkSubcommand(words, named, { open: "build test query cquery info version", never: "shutdown mobile-install" }),
  },
  meson: {
    starts: {
      options: "--wrapper --gdb --gdb-path --native-file --cross-file --ninja-args --vs-args --xcode-args",
      valued: "CDjt",
    },
    check: (words, named) =>
      checkSubcommand(words, named, { open: "test compile setup configure introspect --version", never: "devenv" }),
  },
  dotnet: {
    check: (words, named) =>
      checkProperties(words) ??
      checkSubcommand(words, named, {
        open: "build test format restore clean list --version --info",
        never: "fsi exec tool script",
      }),
  },
  pytest: {
    check: checkPytest,
  },
  mypy: { starts: { options: "--python-executable --install-types" } },
  pylint: { starts: { options: "--init-hook" } },
  mocha: { starts: { options: "--inspect --inspect-brk" } },
  hg: { starts: { options: "--config --cwd -R --repository --debugger" } },
  svn: { starts: { options: "--config-option --config-dir --diff-cmd --diff3-cmd --editor-cmd" } },
  gh: {
    check: (words, named) =>
      checkSubcommand(words, named, {
        open: "status --version",
        never: "alias extension extensions ext codespace cs config auth",
      }),
  },
};

/** Variables and targets reach the recipes' shell as they are: `make T='x; y'`. */
function maker(starts: NonNullable<ProgramDanger["starts"]>): ProgramDanger {
  return { starts, check: checkTargets };
}

function checkMaven(words: readonly string[], named: number): Danger | undefined {
  const defined = words.find(
    (word) =>
      /^-D/.test(word) &&
      !/^-D(?:skipTests|maven\.test\.skip|test|it\.test|skipITs|groups|(?:surefire\.|failsafe\.|it\.)?failIfNo(?:Specified)?Tests|style\.color)(?:=[\w.*#,+!-]*)?$/.test(
        word,
      ),
  );
  if (defined !== undefined)
    return code(`mvn with ${defined.slice(0, 30)} may change what it runs; only -Dtest= and -DskipTests are admitted`);
  const goal = words.find(
    (word, index) =>
      index >= named && index > 0 && /^[^-].*:/.test(word) && !/^-pl$|^-rf$/.test(words[index - 1] ?? ""),
  );
  return goal === undefined ? undefined : limit(`the goal ${goal} of mvn needs a rule that names it`);
}

const goOpen = { open: "build test vet fmt list doc version env mod clean help", never: "tool bug telemetry" };

function checkGo(words: readonly string[], named: number): Danger | undefined {
  const refused = checkSubcommand(words, named, goOpen);
  if (refused) return refused;
  if (words[1] === "env" && words.some((word) => /^--?[wu]$/.test(word)))
    return code("go env -w changes every later go command");
  if (words.some((word) => /-extld|-plugin|-linkmode/.test(word)))
    return code("go with another linker is not admitted");
  if (words[1] !== "run") return undefined;
  const main = words.slice(2).find((word) => !word.startsWith("-"));
  return main === undefined || isInside(main)
    ? undefined
    : code("go run is admitted only with a package of the repository");
}

const cargoOpen =
  "build b check c test t bench clippy fmt doc d tree metadata version --version nextest fetch clean search pkgid verify-project";

function checkCargo(words: readonly string[], named: number): Danger | undefined {
  const flags = "--quiet -q --verbose -v --locked --offline --frozen";
  const toolchain = /^\+(?:stable|beta|nightly|\d+(?:\.\d+)*)[\w.-]*$/.test(words[1] ?? "") ? 1 : 0;
  const rest = toolchain === 0 ? words : [words[0] ?? "", ...words.slice(2)];
  const manifest = words.find((word, index) => {
    const glued = /^--manifest-path=(.*)$/s.exec(word)?.[1];
    return !isInside(glued ?? word) && (glued !== undefined || words[index - 1] === "--manifest-path");
  });
  if (manifest !== undefined) return code("cargo is admitted only with a manifest of the repository");
  const hands = words.slice(words.indexOf("--") + 1).some((word) => /^-[CZ]|^--codegen|linker/.test(word));
  if (hands && words.some((word) => /^rustc|^rustdoc/.test(word)))
    return code("cargo rustc with options for code is not admitted; leave -C and -Z out");
  return checkSubcommand(rest, named - toolchain, { open: cargoOpen, never: "login owner publish watch", flags });
}

/** Plugins may only be switched off: `-p no:warnings`. */
function checkPytest(words: readonly string[]): Danger | undefined {
  const isOff = (word = "") => /^no:[\w.-]+$/.test(word);
  const given = words.filter(
    (word, index) => index > 0 && !(word === "-p" && isOff(words[index + 1])) && !/^-pno:[\w.-]+$/.test(word),
  );
  const found = findOption(given, pytestOptions) ?? given.find((word) => word.startsWith("@"));
  if (found !== undefined) return code(`pytest with ${found.slice(0, 30)} may start another program; leave that out`);
  const overrides = words.some((word) => /addopts|python_executable/.test(word) && /=/.test(word));
  return overrides ? code("pytest with other addopts is not admitted; write the options themselves") : undefined;
}

const pytestOptions: OptionList = {
  options: "--pdb --pdbcls --trace --basetemp --pastebin -p",
  valued: "kmnrWoc",
  safe: "--trace-config",
};

/** MSBuild's properties say what is run before and after a build. */
function checkProperties(words: readonly string[]): Danger | undefined {
  const plain =
    /^(?:--?|\/)p(?:roperty)?:(?!\w*(?:Event|Command|Exec|Path|Tool|Targets|Props|Import|Dir|File))[A-Z]\w*=[\w.+-]*$/;
  const odd = words.find(
    (word) => /^(?:(?:--?|\/)(?:p|property|l|logger|dl|distributedlogger)[:=]|@)/i.test(word) && !plain.test(word),
  );
  return odd === undefined
    ? undefined
    : code(`dotnet with ${odd.slice(0, 30)} may start another program; leave that out`);
}
