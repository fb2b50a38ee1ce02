import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { runCommandLine } from "../../src/cli/main.ts";
import { reportError } from "../../src/cli/report-error.ts";
import type { Surroundings } from "../../src/cli/session.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { readConfig } from "../../src/config.ts";
import { openPort } from "../../src/session/open-app.ts";
import { openSession } from "../../src/session/open-session.ts";
import { createGit } from "../../src/workspace/git.ts";
import type { Called } from "./sheaf.ts";

/**
 * One command line as src/main.ts runs it, without a process of its own: the same words, environment, data folder and
 * exit code, for a fifth of the time. What is about a process (signals, streams, a start, an end) is not seen here.
 */
export async function callInProcess(words: readonly string[], place: Place): Promise<Called> {
  const said = { stdout: "", stderr: "" };
  const code = await start(words, writingTo(said), place);
  return { code, signal: null, ...said };
}

interface Place {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

async function start(words: readonly string[], terminal: Terminal, place: Place): Promise<number> {
  let around: Surroundings;
  try {
    around = surroundings(terminal, place);
  } catch (thrown) {
    return reportError(thrown, terminal);
  }
  return runCommandLine(words, around);
}

const packageFolder = join(import.meta.dirname, "../..");
const { version }: { version: string } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8"));

/** One thread for the jobs: a second one would load everything again, for tasks of a few files. */
const cores = 1;

function surroundings(terminal: Terminal, { cwd, env }: Place): Surroundings {
  const config = readConfig(env, { platform: process.platform, cwd, homedir: cwd, cores });
  const git = createGit({ path: config.path });
  return {
    config,
    terminal,
    git,
    version,
    cwd,
    now: Date.now,
    readInput: () => text(Readable.from([])),
    open: (command, options = {}) =>
      openSession({ command, options, cwd, config, terminal, git, version, packageFolder }),
    listen: (session, place) => openPort(session, place, { config, terminal, version }),
    onSignal: () => () => {},
  };
}

function writingTo(said: { stdout: string; stderr: string }): Terminal {
  const draw = (text: string) => {
    said.stderr += text;
  };
  return {
    print: (line) => {
      said.stdout += `${line}\n`;
    },
    async write(bytes) {
      said.stdout += Buffer.from(bytes).toString();
    },
    tell: (line) => draw(`${line}\n`),
    isLive: false,
    columns: 100,
    draw,
    style: (_, words) => words,
  };
}
