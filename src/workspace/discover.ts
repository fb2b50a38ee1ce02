import { access, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { Git } from "./git.ts";
import { isObjectStore } from "./object-store.ts";
import { readPlain, refuseOdd } from "./plain-file.ts";

/**
 * The facts of the user's repository, by commands that only read. What we could not serve truthfully (a partial clone,
 * objects that are elsewhere and gone) is refused here, before anything is made.
 */
export interface UserRepository {
  /** Root of the working tree, or the git directory of a bare repository. Absolute and canonical. */
  top: string;
  isBare: boolean;
  /** The git directory of this checkout (of a linked worktree its own). */
  gitDir: string;
  /** The git directory that all worktrees share. */
  commonDir: string;
  indexFile: string;
}

export interface Discovered {
  user: UserRepository;
  objectFormat: "sha1" | "sha256";
  /** The configuration in force for the user, last value of each lower-case key. */
  config: ReadonlyMap<string, string>;
}

/** `userHome` is where the user's own git configuration (excludes file, line endings) is looked for. */
export async function discover(git: Git, path: string, userHome: string | undefined): Promise<Discovered> {
  const cwd = await directoryAt(path);
  await refuseOddAround(cwd);
  const ask = async (...question: string[]): Promise<string> =>
    textOf((await git(["rev-parse", ...question], { cwd, timeoutMs })).stdout, path);
  const flags = await ask("--is-bare-repository", "--is-inside-work-tree", "--show-object-format").catch(
    (cause: unknown) => Promise.reject(notARepository(path, cause)),
  );
  const [bare, inside, format] = flags.split("\n");
  const isBare = bare === "true";
  if (!isBare && inside !== "true") throw notARepository(path, "it is inside a git directory, not a working tree");
  // A question each: a path may hold the newline that parts two answers.
  const [gitDir, commonDir, workTree] = await Promise.all([
    ask("--absolute-git-dir").then((answer) => realpath(answer)),
    ask("--git-common-dir").then((answer) => realpath(resolve(cwd, answer))),
    isBare ? undefined : ask("--show-toplevel").then((answer) => realpath(answer)),
  ]);
  const top = workTree ?? gitDir;
  if (!isBare) await refuseElsewhere(top, gitDir);
  const config = await configOf(git, gitDir, userHome);
  refusePartialClone(top, config);
  await refuseMissingAlternates(join(commonDir, "objects"), 0);
  const user = { top, isBare, gitDir, commonDir, indexFile: join(gitDir, "index") };
  return { user, objectFormat: format === "sha256" ? "sha256" : "sha1", config };
}

/** These questions are answered from a few small files. */
const timeoutMs = 60_000;

/** What git would wait for without end, in every folder where it would look for a repository. */
async function refuseOddAround(folder: string): Promise<void> {
  const names = ["HEAD", "config", "config.worktree", "commondir", "packed-refs", "index"];
  for (const gitDir of [join(folder, ".git"), folder]) await refuseOdd(names.map((name) => join(gitDir, name)));
  if (dirname(folder) !== folder) await refuseOddAround(dirname(folder));
}

/**
 * `core.worktree` can make any folder of this machine the working tree, whose files would be read and written as the
 * repository's. A working tree's own `.git` leads to its repository (gitrepository-layout): a folder, or a file that
 * names one.
 */
async function refuseElsewhere(top: string, gitDir: string): Promise<void> {
  const own = join(top, ".git");
  const named = await stat(own).then(
    async (found) => (found.isDirectory() ? own : namedIn(top, (await readPlain(own))?.toString("utf8") ?? "")),
    () => undefined,
  );
  if (named !== undefined && (await realpath(named).catch(() => "")) === gitDir) return;
  throw new Fault("unsupported_repository", `the repository in ${gitDir} says that its files are in ${top}`, {
    remedy: "take core.worktree out of its configuration, or run it where its .git is",
  });
}

function namedIn(top: string, text: string): string | undefined {
  const [, path] = /^gitdir: ([^\n]+)\n*$/.exec(text) ?? [];
  return path === undefined ? undefined : resolve(top, path);
}

async function directoryAt(path: string): Promise<string> {
  try {
    const found = await realpath(path);
    if ((await stat(found)).isDirectory()) return found;
  } catch (cause) {
    throw notARepository(path, cause);
  }
  throw notARepository(path, "it is not a directory");
}

function notARepository(path: string, cause: unknown): Error {
  const why = typeof cause === "string" ? `: ${cause}` : "";
  if (cause instanceof Fault && (cause.code !== "git" || !/not a git repository/i.test(cause.message))) {
    return cause.code === "git"
      ? new Fault("unsupported_repository", `git cannot read the repository at ${path}: ${cause.message}`, { cause })
      : cause;
  }
  return new Fault("not_a_repository", `${path} is not in a git repository${why}`, {
    remedy: "run it inside a git checkout, or name one (`git init && git add -A && git commit` makes one)",
    cause,
  });
}

/** Takes one final newline away, and none of those that belong to a name. */
function textOf(stdout: Buffer, path: string): string {
  const text = stdout.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(stdout)) {
    throw new Fault("unsupported_repository", `the repository at ${path} is in a folder whose name is not UTF-8`, {
      remedy: "rename the folder, or reach it by a symlink-free path with a UTF-8 name",
    });
  }
  return text.replace(/\n$/, "");
}

async function configOf(git: Git, gitDir: string, userHome: string | undefined): Promise<Map<string, string>> {
  const personal = userHome ? await personalConfig(userHome) : undefined;
  const env = personal ? { GIT_CONFIG_GLOBAL: personal, HOME: userHome ?? "" } : {};
  // Scope and key by turns; `command` is our own hardening, which says nothing about the user's wishes.
  const { stdout } = await git(["config", "--list", "--show-scope", "-z"], { gitDir, env, timeoutMs });
  const parts = stdout.toString("utf8").split("\0");
  const config = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [key = "", ...value] = (parts[index + 1] ?? "").split("\n");
    if (parts[index] !== "command") config.set(key, value.length > 0 ? value.join("\n") : "true");
  }
  return config;
}

async function personalConfig(userHome: string): Promise<string | undefined> {
  for (const candidate of [join(userHome, ".gitconfig"), join(userHome, ".config", "git", "config")]) {
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}

function refusePartialClone(top: string, config: ReadonlyMap<string, string>): void {
  const promisor = [...config].find(([key, value]) => /^remote\..*\.promisor$/s.test(key) && !isFalse(value));
  if (!promisor && !config.has("extensions.partialclone")) return;
  throw new Fault("unsupported_repository", `${top} is a partial clone: some of its objects are only on its remote`, {
    remedy:
      "fetch them first: git fetch --refetch --no-filter && git config --unset-all extensions.partialClone; " +
      "git config --unset-all remote.origin.promisor; git config --unset-all remote.origin.partialclonefilter " +
      "(or clone it again without --filter)",
  });
}

/** As git reads a boolean: whatever is not one of these is true, or a mistake that git would complain of. */
function isFalse(value: string): boolean {
  return /^(false|no|off|0|)$/i.test(value);
}

async function refuseMissingAlternates(objects: string, depth: number): Promise<void> {
  const lines = (await readPlain(join(objects, "info", "alternates")))?.toString("latin1") ?? "";
  for (const line of lines.split("\n")) {
    // A quoted line is git's own escape for odd names; git itself complains where it is wrong.
    if (line === "" || line.startsWith("#") || line.startsWith('"')) continue;
    const directory = resolve(objects, Buffer.from(line, "latin1").toString("utf8"));
    if (!(await exists(directory))) {
      throw new Fault("unsupported_repository", `${objects} borrows objects from ${directory}, which does not exist`, {
        remedy: "bring that folder back, or take its line out of objects/info/alternates and run git fsck",
      });
    }
    if (!(await isObjectStore(directory))) {
      throw new Fault(
        "unsupported_repository",
        `${objects} borrows objects from ${directory}, which holds other things`,
        {
          remedy: "take that line out of objects/info/alternates and run git fsck",
        },
      );
    }
    if (depth < 5) await refuseMissingAlternates(directory, depth + 1);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
