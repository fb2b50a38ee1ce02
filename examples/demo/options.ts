import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface DemoOptions {
  wantsHelp: boolean;
  /** The user's own repository, absolute; absent means the package that the demo brings. */
  repository?: string;
  /** Commands that are run on the user's word. */
  checks: string[];
  /** Where the user is: npm runs scripts in the package's folder. */
  startedIn: string;
}

export const help = `Usage: npm run demo [-- --repo DIR [--check CMD]]

Without options: takes the published sources of a real package, refactors them by many
sub-agents at once (fs -> node:fs), checks the result, and shows who did what. No key, no
network, nothing of yours is touched; all of it happens in one folder for temporary files.

  --repo DIR    the same refactoring of your own git repository, at its HEAD. Your files
                stay as they are; the change is written as a patch where you started this
  --check CMD   a command that must still pass afterwards (repeatable, needs --repo). It runs
                as you, in a clean checkout: --check 'npm ci && npm test'
  --help        this text

Exit codes: 0 done, or nothing to do; 1 not done, with the reason; 130 stopped by Ctrl-C`;

/** Throws a TypeError that says what is wrong with the words. */
export function readOptions(words: readonly string[], env: NodeJS.ProcessEnv): DemoOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      repo: { type: "string" },
      check: { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.check && values.repo === undefined)
    throw new TypeError("--check needs --repo: the demo has its own check");
  const startedIn = env.npm_lifecycle_event === "demo" && env.INIT_CWD ? env.INIT_CWD : process.cwd();
  return {
    wantsHelp: values.help === true,
    ...(values.repo === undefined ? {} : { repository: resolve(startedIn, values.repo) }),
    checks: values.check ?? [],
    startedIn,
  };
}
