import type { OptionList } from "./command-options.ts";
import {
  checkSubcommand,
  code,
  type Danger,
  limit,
  listed,
  type ProgramDanger,
  type Subcommands,
  subcommandAt,
} from "./command-program.ts";

/** Package managers of JavaScript and Python: scripts of the project are a rule's choice, other programs are not. */

const npmOptions = {
  options: `--prefix -C --script-shell --node-options --userconfig --globalconfig --call -c --shell --viewer --editor
    --browser --init-module --git --python --node-gyp --registry --cache --location -g --global --package -p --cwd
    --modules-folder --use-yarnrc --dir --shell-mode --config --store-dir --global-dir --global-bin-dir --pnpmfile
    --global-pnpmfile --shell-emulator`,
  hasOneDash: true,
  endsAtDashes: true,
  valued: "w",
};
const quiet = "--silent -s --quiet -q --no-color -r --recursive";

const npm: Subcommands = {
  open: "test t tst run run-script ls list ll la view info show outdated audit explain why root prefix bin version -v --version",
  never:
    "explore edit config c set set-script login adduser token owner publish docs repo bugs home help completion hook",
  flags: quiet,
  valued: "-w --workspace",
};
const yarn: Subcommands = {
  open: "test run build lint why list info audit outdated licenses workspaces -v --version",
  never: "exec dlx node config plugin set publish login npm",
  flags: quiet,
};
const pnpm: Subcommands = {
  open: "test t run ls list ll la why outdated audit licenses -v --version",
  never: "dlx config c set publish login env self-update setup",
  flags: `${quiet} -w --workspace-root`,
  valued: "-F --filter",
};
const bun: Subcommands = {
  open: "test pm outdated --version -v",
  never: "exec repl create publish",
  flags: "--silent",
};

export const packagePrograms: Readonly<Record<string, ProgramDanger>> = {
  npm: {
    starts: npmOptions,
    check: (words, named) => checkSubcommand(words, named, npm),
    inner: (words) => innerOf(words, npm, "exec x"),
  },
  npx: { check: checkRunner, inner: firstOperand },
  pnpx: { check: checkRunner, inner: firstOperand },
  uvx: { check: checkRunner, inner: firstOperand },
  tox: tests({ options: "-x --override -c --conf --root --workdir --runner --installpkg", valued: "efmpn" }),
  nox: tests({ options: "-f -p -P -db --noxfile --envdir --default-venv-backend --force-python", valued: "ekst" }),
  yarn: {
    starts: { ...npmOptions, valued: "" },
    check: checkYarn,
    inner: (words) => innerOf(words, yarn, "run"),
  },
  pnpm: {
    starts: { ...npmOptions, valued: "F" },
    check: (words, named) => checkSubcommand(words, named, pnpm),
    inner: (words) => innerOf(words, pnpm, "exec"),
  },
  bun: {
    starts: {
      options: "-e --eval -p --print -r --preload --require --import --config -c --cwd --env-file --shell",
      valued: "t",
    },
    check: (words, named) => checkSubcommand(words, named, bun),
    inner: (words) => innerOf(words, bun, "run x"),
  },
  pip: {
    check: (words, named) => checkSubcommand(words, named, { open: "list show check freeze --version", flags: "-q" }),
  },
  uv: running("pip tree version --version lock", "run tool", "python self"),
  poetry: running("show check version env --version", "run", "shell config self"),
  pipenv: running("graph check --version --venv", "run", "shell"),
  pdm: running("list info --version", "run", "config plugin self"),
  hatch: running("version status fmt", "run", "shell config"),
  bundle: running("list show check outdated platform --version", "exec", "console open config plugin"),
  composer: running("show validate outdated audit --version", "exec", "config global init"),
  gem: {
    check: (words, named) =>
      checkSubcommand(words, named, { open: "list search specification --version", never: "exec open" }),
  },
  docker: containers(),
  podman: containers(),
  nerdctl: containers(),
  helm: { starts: { options: "--post-renderer --post-renderer-args --kubeconfig" } },
  kubectl: {
    starts: { options: "--kubeconfig" },
    check: (words, named) =>
      checkSubcommand(words, named, {
        open: "get describe logs version",
        never: "exec run cp debug attach edit plugin config proxy",
      }),
  },
  apt: { starts: { options: "-o --option -c --config-file" } },
  "apt-get": { starts: { options: "-o --option -c --config-file" } },
};

/** Test runners that hand what stands behind `--` on to the commands they run. */
function tests(starts: OptionList): ProgramDanger {
  const check: ProgramDanger["check"] = ([program, ...given]) =>
    given.some((word) => word === "--" || /^(?:exec|devenv)$/.test(word))
      ? limit(`${program} with words for its commands is not admitted; leave out -- and exec`)
      : undefined;
  return { starts, check };
}

/** Over several workspaces it starts what stands behind the same verbs. */
function checkYarn(words: readonly string[], named: number): Danger | undefined {
  const isSpread = words.some((word) => /^workspaces?$/.test(word));
  const verb = isSpread ? words.find((word) => /^(?:exec|dlx|node)$/.test(word)) : undefined;
  if (verb !== undefined) return code(`yarn ${verb} over workspaces runs other programs; have it done another way`);
  return checkSubcommand(words, named, yarn);
}

/** Programs that run another one behind `verb`. */
function running(open: string, verbs: string, never: string): ProgramDanger {
  const known: Subcommands = { open, never };
  return {
    check: (words, named) => checkSubcommand(words, named, known),
    inner: (words) => innerOf(words, known, verbs),
  };
}

function containers(): ProgramDanger {
  const known = {
    open: "ps images logs inspect version info stats top",
    never: "run exec build buildx cp compose commit load import",
  };
  return { check: (words, named) => checkSubcommand(words, named, known) };
}

/** Without its own option, npx fetches what is not installed; a rule that names the program means that one. */
function checkRunner(words: readonly string[], named: number): Danger | undefined {
  const at = firstOperand(words);
  if (words[at]?.startsWith("-")) return code(`${words[0]} ${words[at]} is not admitted; leave that option out`);
  const isInstalled = words.slice(1, at).some((word) => /^(?:--no-install|--no|--offline)$/.test(word));
  if (isInstalled || at < named || at >= words.length) return undefined;
  return limit(`${words[0]} may fetch a program; write ${words[0]} --no-install, or have a rule name the program`);
}

const runnerFlags = "--no-install --no --offline --yes -y --quiet -q --silent -s --no-color --";

function firstOperand(words: readonly string[]): number {
  return subcommandAt(words, runnerFlags);
}

/** Where the program begins behind one of these verbs. */
function innerOf(words: readonly string[], { flags = "", valued = "" }: Subcommands, verbs: string): number {
  const at = subcommandAt(words, flags, valued);
  if (!listed(verbs).has(words[at] ?? "")) return 0;
  const inner = words.findIndex((word, index) => index > at && !listed(runnerFlags).has(word));
  return Math.max(0, inner);
}
