import { deepStrictEqual } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Result, result as resultSchema } from "../../src/protocol/result.ts";

/** The real command line, as a process or in this one, with a data folder of its own and nothing of our environment. */
export interface Sheaf extends AsyncDisposable {
  /** Where it is started, and where job files of a test may lie. */
  folder: string;
  home: string;
  /** Runs one command to its end. */
  call(words: readonly string[], options?: CallOptions): Promise<Called>;
  /** `sheaf run ... --output-format json`: the result is validated, and its exit code is the process's. */
  job(words: readonly string[], options?: CallOptions): Promise<Called & { result: Result }>;
  /** Starts one and leaves it running; whatever still runs is killed with the folder. */
  start(words: readonly string[], options?: CallOptions): Running;
  /** Writes a file beside the data folder; answers its path. */
  write(path: string, content: string | Buffer): string;
}

export interface CallOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** A program that runs the command line given to it: `sh -c '...; exec "$@"' sh`. */
  through?: readonly string[];
  /** A process of its own, whatever the others have. */
  asProcess?: boolean;
}

export interface Called {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Waits until one of its two streams has shown this; rejects when it ends without. */
  shows(pattern: RegExp): Promise<void>;
  ended: Promise<Called>;
}

/** Settings for a test that has to see, or to steer, from outside what a command does. */
export const external = "sandbox: { mode: external }\n";

/** Milliseconds for one test: a command takes one second on an idle machine, and many on one that is not. */
export const patience = 300_000;

const root = join(import.meta.dirname, "../..");

/**
 * Without settings unless told otherwise: its commands run in Sheaf's own sandbox. With `inProcess` a command that is
 * called to its end runs in this process, which is all of it but the start: where the test is not about the process.
 */
export function openSheaf(options: { settings?: string | null; inProcess?: boolean } = {}): Sheaf {
  const folder = mkdtempSync(join(tmpdir(), "sheaf e2e-"));
  const home = join(folder, "home");
  const { settings = null, inProcess = false } = options;
  const environment = (env: CallOptions["env"]) => ({
    ...{ PATH: process.env.PATH, HOME: folder, SHEAF_HOME: home, NODE_COMPILE_CACHE: compileCache },
    ...env,
  });
  const children = new Set<ChildProcess>();
  const start: Sheaf["start"] = (words, { cwd = folder, env, through = [] } = {}) => {
    const [program = "", ...rest] = [...through, process.execPath, quickly, join(root, "src/bin.ts"), ...words];
    const child = spawn(program, rest, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    child.on("exit", () => children.delete(child));
    return follow(child);
  };
  const call: Sheaf["call"] = async (words, more = {}) => {
    if (!inProcess || more.through || more.asProcess) return start(words, more).ended;
    const { callInProcess } = await import("./call-in-process.ts");
    return callInProcess(words, { cwd: more.cwd ?? folder, env: environment(more.env) });
  };
  const sheaf: Sheaf = {
    folder,
    home,
    start,
    call,
    async job(words, more) {
      const called = await call(["run", ...words, "--output-format", "json"], more);
      return { ...called, result: resultOf(called) };
    },
    write(path, content) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  if (settings !== null) sheaf.write("home/sheaf.config.yaml", settings);
  return sheaf;
}

/** The embedded database is WebAssembly: optimising it would cost each of a few hundred short processes 0.5 s of CPU. */
const quickly = "--liftoff-only";

/** Shared by all tests: Node's own cache of the sources without their types. */
const compileCache = join(tmpdir(), "node-compile-cache");

export function resultOf({ code, stdout, stderr }: Called): Result {
  let result: Result;
  try {
    const printed: unknown = JSON.parse(stdout);
    result = resultSchema.parse(printed);
    // Parsing drops what the schema does not know, and nothing may be there that it does not know.
    deepStrictEqual(printed, result);
  } catch (cause) {
    throw new Error(`exit ${code}, and stdout is no result: ${stdout.slice(0, 2_000)}\n${stderr}`, { cause });
  }
  if (result.exit_code !== code) throw new Error(`the result says exit ${result.exit_code}, it was ${code}\n${stderr}`);
  return result;
}

function follow(child: ChildProcess): Running {
  const said = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, ...said }));
  return {
    child,
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    ended,
    shows(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(said.stdout) && !pattern.test(said.stderr)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => {
          look();
          reject(new Error(`it ended without ${pattern}: ${said.stdout}\n${said.stderr}`));
        });
      });
    },
  };
}
