import { checkSubcommand, code, type Danger, isInside, limit, type ProgramDanger } from "./command-program.ts";

/** Build tools and test runners: they run what the project says, and a prefix does not let arguments say otherwise. */

export const buildPrograms: Readonly<Record<string, ProgramDanger>> = {
  make: maker({
    options: "-f -C -E -I -e --file --makefile --directory --eval --include-dir --environment-overrides",
    valued: "oW",
  }),
  gmake: maker({
    options: "-f -C -E -I -e --file --makefile --directory --eval --include-dir --environment-overrides",
    valued: "oW",
  }),
  just: maker({
    options: `-f -d -c -E --justfile --working-directory --shell --shell-arg --command --set --dotenv-path --dotenv-filename
      --edit --choose --chooser --init --shell-command`,
  }),
  task: maker({ options: "-t -d --taskfile --dir --global -g" }),
  rake: maker({
    options: `-e -E -f -r -R -p -I -N -g -C --execute --execute-continue --execute-print --rakefile --require --rakelib
      --rakelibdir --libdir --system --directory`,
  }),
  ninja: { starts: { options: "-f -C", valued: "jkldtw" } },
  cmake: { starts: { options: "-P -E -C -D -G -T --open --install --toolchain --preset", valued: "SBjt" } },
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
      options: "-f -s -gs -t -gt --file --settings --global-settings --toolchains --global-toolchains",
      valued: "DTPpl",
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
  bazel: {
    starts: {
      options: "--run_under --script_path --bazelrc --host_jvm_args --workspace_status_command --repo_env --action_env",
    },
    check: (words, named) =>
      checkSubcommand(words, named, { open: "build test query cquery info version", never: "shutdown mobile-install" }),
  },
  dotnet: {
    check: (words, named) =>
      checkSubcommand(words, named, {
        open: "build test format restore clean list --version --info",
        never: "fsi exec tool script",
      }),
  },
  pytest: {
    starts: { options: "--pdb --pdbcls --trace --basetemp --pastebin -p", valued: "kmnrWoc" },
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

function checkTargets(words: readonly string[], named: number): Danger | undefined {
  const odd = words.find(
    (word, index) => index >= Math.max(1, named) && !/^(?:--[\w-]+=[\w.-]*|[\w./%+@:,\0-]+)$/.test(word),
  );
  if (odd === undefined) return undefined;
  return code(
    `${words[0]} with ${JSON.stringify(odd.slice(0, 30))} may change what its recipes run; name plain targets only`,
  );
}

function checkMaven(words: readonly string[], named: number): Danger | undefined {
  const defined = words.find(
    (word) =>
      /^-D/.test(word) &&
      !/^-D(?:skipTests|maven\.test\.skip|test|it\.test|skipITs|groups)(?:=[\w.*#,+!-]*)?$/.test(word),
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
  const manifest = words.find((word, index) => words[index - 1] === "--manifest-path" && !isInside(word));
  if (manifest !== undefined) return code("cargo is admitted only with a manifest of the repository");
  return checkSubcommand(rest, named - toolchain, { open: cargoOpen, never: "login owner publish", flags });
}

function checkPytest(words: readonly string[]): Danger | undefined {
  const overrides = words.some((word) => /addopts|python_executable/.test(word) && /=/.test(word));
  return overrides ? code("pytest with other addopts is not admitted; write the options themselves") : undefined;
}
