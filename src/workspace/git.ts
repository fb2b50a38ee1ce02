import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { delimiter, isAbsolute } from "node:path";
import { Fault } from "../protocol/failure.ts";
import { Turnstile } from "../protocol/turnstile.ts";

/**
 * The only door to git. Configuration comes from nowhere but the repository it is pointed at and the flags below:
 * no system or global file, no hook, no fsmonitor, no filter, no prompt, no pager, no replace refs, no grafts, no optional
 * lock, and no transport, whatever the repository allows itself.
 */
export interface GitOptions {
  /** The repository (GIT_DIR). Left out only to find the repository that `cwd` is in. */
  gitDir?: string;
  workTree?: string;
  indexFile?: string;
  cwd?: string;
  input?: Uint8Array | string;
  /** Further variables, such as GIT_OBJECT_DIRECTORY. */
  env?: Readonly<Record<string, string>>;
  /** Exit codes that are an answer, not an error. Default [0]. */
  accept?: readonly number[];
  /** It is killed after that. Default `patienceMs` of createGit. */
  timeoutMs?: number;
  /** Most bytes of output to take; one more ends git and throws Fault `git`. Default 1 GiB. */
  maxBytes?: number;
  signal?: AbortSignal;
}

export interface GitOutput {
  code: number;
  stdout: Buffer;
  stderr: string;
}

export interface Git {
  /** Runs git with an argument list (never a shell). Throws Fault `git` on an exit code that was not accepted. */
  (args: readonly string[], options: GitOptions): Promise<GitOutput>;
  /**
   * Starts a git that answers until its input ends. The caller owns the process; a Ctrl-C in the terminal is not for it,
   * since what was finished is still to be kept.
   */
  start(args: readonly string[], options: GitOptions): RunningGit;
}

export type RunningGit = ChildProcessWithoutNullStreams;

const hardening = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.attributesFile=/dev/null",
  "core.autocrlf=false",
  "core.safecrlf=false",
  "core.precomposeUnicode=false",
  "core.protectNTFS=false",
  "core.quotePath=false",
  "core.commitGraph=true",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "protocol.allow=never",
  "safe.directory=*",
].flatMap((setting) => ["-c", setting]);

/**
 * `path` is the PATH that git itself is found on; at most `atOnce` (default 16) run at the same time, none of them longer
 * than `patienceMs` (default half an hour) unless its call says otherwise.
 */
export function createGit(options: { path: string; atOnce?: number; patienceMs?: number }): Git {
  const turns = new Turnstile(options.atOnce ?? 16);
  const path = absoluteOnly(options.path);
  const timeoutMs = options.patienceMs ?? 1_800_000;
  const launch = (args: readonly string[], call: GitOptions, how: { detached?: boolean } = {}) =>
    spawn("git", [...hardening, ...args], {
      env: environmentOf(path, call),
      cwd: call.cwd ?? call.gitDir,
      stdio: ["pipe", "pipe", "pipe"],
      ...how,
      ...(call.signal ? { signal: call.signal } : {}),
    });
  const start: Git["start"] = (args, call) => launch(args, call, { detached: process.platform !== "win32" });
  const git = async (args: readonly string[], call: GitOptions): Promise<GitOutput> => {
    const output = await turns.pass(() => collect(launch(args, call), { timeoutMs, ...call }));
    if (!(call.accept ?? [0]).includes(output.code)) throw refused(args, output);
    return output;
  };
  return Object.assign(git, { start });
}

/** A relative folder would be looked up in the repository. */
function absoluteOnly(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .join(delimiter);
}

function environmentOf(path: string, call: GitOptions): Record<string, string> {
  return {
    PATH: path,
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    // Goes before every protocol.NAME.allow of a repository: git before 2.39.4 fetches missing objects by itself.
    GIT_ALLOW_PROTOCOL: "",
    GIT_GRAFT_FILE: "/dev/null",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_PAGER: "cat",
    GIT_AUTHOR_NAME: "Sheaf",
    GIT_AUTHOR_EMAIL: "sheaf@localhost",
    GIT_COMMITTER_NAME: "Sheaf",
    GIT_COMMITTER_EMAIL: "sheaf@localhost",
    ...(call.gitDir ? { GIT_DIR: call.gitDir } : {}),
    ...(call.workTree ? { GIT_WORK_TREE: call.workTree } : {}),
    ...(call.indexFile ? { GIT_INDEX_FILE: call.indexFile } : {}),
    ...call.env,
  };
}

function collect(child: RunningGit, call: GitOptions & { timeoutMs: number }): Promise<GitOutput> {
  return new Promise((resolve, reject) => {
    const maxBytes = call.maxBytes ?? 2 ** 30;
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, call.timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) out.push(chunk);
      else child.kill("SIGKILL");
    });
    // Nobody needs more of a complaint than its first lines.
    child.stderr.on("data", (chunk: Buffer) => err.length < 64 && err.push(chunk));
    child.on("error", (cause) => {
      clearTimeout(late);
      reject(unstartable(cause));
    });
    child.on("close", (code) => {
      clearTimeout(late);
      if (isLate) reject(endless(call));
      else if (bytes > maxBytes) reject(new Fault("git", `git said more than ${maxBytes} bytes and was stopped`));
      else resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
    });
    // git may leave before it has read everything; its exit code says why.
    child.stdin.on("error", () => {});
    child.stdin.end(call.input);
  });
}

function endless({ timeoutMs, cwd, gitDir }: GitOptions & { timeoutMs: number }): Fault {
  const where = cwd ?? gitDir ?? "";
  return new Fault("git", `git did not come to an end within ${timeoutMs / 1_000} s in ${where}, and was stopped`, {
    remedy:
      "look there for a pipe or a device in the place of a file, such as a .gitignore or an included configuration",
  });
}

/** What is thrown when the git program itself could not be run. */
export function unstartable(cause: Error): Error {
  if (cause.name === "AbortError") return cause;
  const isMissing = "code" in cause && cause.code === "ENOENT";
  return new Fault(isMissing ? "configuration" : "git", `git could not be started: ${cause.message}`, {
    cause,
    ...(isMissing ? { remedy: "install git 2.39 or newer (apt-get install git)" } : {}),
  });
}

/** What is thrown when git would not do it, by what it said. */
export function refused(args: readonly string[], output: GitOutput): Fault {
  const said = output.stderr.trim().slice(0, 2_000) || `exit ${output.code}`;
  const command = `git ${args.slice(0, 3).join(" ")}`;
  if (/No space left on device|Disk quota exceeded/.test(said)) {
    return new Fault("storage_full", `${command}: ${said}`, { remedy: "free some space and run it again" });
  }
  if (/Read-only file system/.test(said)) return new Fault("read_only", `${command}: ${said}`);
  if (/\.lock': File exists|Unable to create '.*\.lock'/.test(said)) {
    return new Fault("locked", `${command}: another git holds a lock: ${said}`, {
      remedy: "wait for the other git command, or remove the lock file it left if it is gone, and try again",
    });
  }
  return new Fault("git", `${command}: ${said}`);
}
