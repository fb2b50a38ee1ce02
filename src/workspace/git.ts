import { spawn } from "node:child_process";
import { Fault } from "../protocol/failure.ts";

/**
 * The only door to git. Configuration comes from nowhere but the repository it is pointed at and the flags below:
 * no system or global file, no hook, no fsmonitor, no filter, no prompt, no pager, no replace refs, no optional lock.
 */
export interface GitOptions {
  /** The repository (GIT_DIR). */
  gitDir: string;
  workTree?: string;
  indexFile?: string;
  cwd?: string;
  input?: Uint8Array | string;
  /** Further variables, such as GIT_OBJECT_DIRECTORY. */
  env?: Readonly<Record<string, string>>;
  /** Exit codes that are an answer, not an error. Default [0]. */
  accept?: readonly number[];
  signal?: AbortSignal;
}

export interface GitOutput {
  code: number;
  stdout: Buffer;
  stderr: string;
}

/** Runs git with an argument list (never a shell). Throws Fault `git` on an exit code that was not accepted. */
export type Git = (args: readonly string[], options: GitOptions) => Promise<GitOutput>;

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
  "diff.external=",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "protocol.allow=never",
  "protocol.file.allow=always",
].flatMap((setting) => ["-c", setting]);

/** `path` is the PATH that git itself is found on. */
export function createGit(options: { path: string }): Git {
  const environment = {
    PATH: options.path,
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_PAGER: "cat",
    GIT_AUTHOR_NAME: "Sheaf",
    GIT_AUTHOR_EMAIL: "sheaf@localhost",
    GIT_COMMITTER_NAME: "Sheaf",
    GIT_COMMITTER_EMAIL: "sheaf@localhost",
  };
  return async (args, call) => {
    const env: Record<string, string> = { ...environment, GIT_DIR: call.gitDir, ...call.env };
    if (call.workTree) env.GIT_WORK_TREE = call.workTree;
    if (call.indexFile) env.GIT_INDEX_FILE = call.indexFile;
    const output = await run([...hardening, ...args], env, call);
    if (!(call.accept ?? [0]).includes(output.code)) throw refused(args, output);
    return output;
  };
}

function run(args: string[], env: Record<string, string>, call: GitOptions): Promise<GitOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, {
      env,
      cwd: call.cwd ?? call.gitDir,
      stdio: ["pipe", "pipe", "pipe"],
      ...(call.signal ? { signal: call.signal } : {}),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (cause) => reject(unstartable(cause)));
    child.on("close", (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    );
    // git may leave before it has read everything; its exit code says why.
    child.stdin.on("error", () => {});
    child.stdin.end(call.input);
  });
}

function unstartable(cause: Error): Error {
  if (cause.name === "AbortError") return cause;
  const isMissing = "code" in cause && cause.code === "ENOENT";
  return new Fault(isMissing ? "configuration" : "git", `git could not be started: ${cause.message}`, {
    cause,
    ...(isMissing ? { remedy: "install git 2.38 or newer (apt-get install git)" } : {}),
  });
}

function refused(args: readonly string[], output: GitOutput): Fault {
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
