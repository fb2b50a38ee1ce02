import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { openKeyboard } from "./cli/keyboard.ts";
import { runCommandLine } from "./cli/main.ts";
import { reportError } from "./cli/report-error.ts";
import { onStopSignal } from "./cli/signals.ts";
import { openTerminal } from "./cli/terminal.ts";
import { type Config, readConfig } from "./config.ts";
import { createGit } from "./workspace/git.ts";

/** The composition root: reads the environment and the command line, and connects the two. Nothing imports it. */
const manifestFile = findPackageJSON(import.meta.url) ?? "package.json";
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifestFile, "utf8")));
const config = configOf(process.env);
const terminal = openTerminal({
  stdout: process.stdout,
  stderr: process.stderr,
  isCi: config.isCi,
  noColor: config.noColor,
  keyboard: openKeyboard(() => process.stdin),
});
const git = createGit({ path: config.path });

process.exitCode = await runCommandLine(process.argv.slice(2), {
  config,
  terminal,
  git,
  version,
  cwd: process.cwd(),
  now: Date.now,
  readInput: () => text(process.stdin),
  foresee() {
    // A server that was named does the work. What cannot be loaded says so to whoever opens.
    if (config.server === undefined)
      void import("./session/foresee.ts").then(
        (named) => named.foresee(config),
        () => {},
      );
  },
  async open(command, options = {}) {
    // Loaded by the commands that need it: a third of all modules are below it.
    const { openSession } = await import("./session/open-session.ts");
    const packageFolder = dirname(manifestFile);
    return openSession({ command, options, cwd: process.cwd(), config, terminal, git, version, packageFolder });
  },
  async listen(session, place) {
    const { openPort } = await import("./session/open-app.ts");
    return openPort(session, place, { config, terminal, version });
  },
  onSignal: onStopSignal,
});

/** Without a configuration there is nothing to run: said in plain words, and that is the end. */
function configOf(environment: typeof process.env): Config {
  try {
    return readConfig(environment);
  } catch (thrown) {
    const { stdout, stderr } = process;
    process.exit(reportError(thrown, openTerminal({ stdout, stderr, isCi: true, noColor: true })));
  }
}
