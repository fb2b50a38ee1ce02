import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CatFile } from "./cat-file.ts";
import { discover, type UserRepository } from "./discover.ts";
import type { Git } from "./git.ts";
import { ListingCache } from "./listing-cache.ts";
import { ObjectWriter } from "./object-writer.ts";
import { ownRepository } from "./own-repository.ts";

/**
 * The user's repository as a source that is only read, and our own bare one beside it that takes every write.
 * Commands that must see the user's refs name `user.gitDir`; all others name `gitDir`.
 */
export interface Repository {
  git: Git;
  /** Our bare repository below `$home/repositories`. */
  gitDir: string;
  objectFormat: "sha1" | "sha256";
  /** Of the disk our workspaces are on. */
  isCaseInsensitive: boolean;
  /** What our own repository's disk can hold, as git found it. */
  disk: { hasModes: boolean; hasLinks: boolean };
  user: UserRepository;
  /** The user's git configuration by lower-case key, last value wins; read once at the opening. */
  userConfig: ReadonlyMap<string, string>;
  /** The user's home directory, where it is known. */
  userHome: string | undefined;
  objects: CatFile;
  writer: ObjectWriter;
  listings: ListingCache;
  /** Ends the processes it holds. */
  close(): Promise<void>;
}

/**
 * Opens the repository that `path` is in, making or refreshing our own one below `home`. `userHome` is where personal
 * git settings are looked for (excludes file, line endings). Throws Fault `not_a_repository`,
 * `unsupported_repository` (partial clone, missing alternates) or `git`.
 */
export async function openRepository(
  path: string,
  options: { home: string; git: Git; userHome?: string },
): Promise<Repository> {
  const { git, home, userHome } = options;
  const found = await discover(git, path, userHome);
  const gitDir = await ownRepository(git, home, found);
  const disk = await diskOf(git, gitDir);
  const objects = new CatFile(git, gitDir);
  const writer = new ObjectWriter(git, gitDir, found.objectFormat);
  return {
    git,
    gitDir,
    objectFormat: found.objectFormat,
    isCaseInsensitive: disk.get("core.ignorecase") === "true",
    disk: { hasModes: disk.get("core.filemode") !== "false", hasLinks: disk.get("core.symlinks") !== "false" },
    user: found.user,
    userConfig: found.config,
    userHome,
    objects,
    writer,
    listings: new ListingCache({ git, gitDir, objects, objectFormat: found.objectFormat }),
    close: async () => {
      await writer[Symbol.asyncDispose]();
      await objects[Symbol.asyncDispose]();
    },
  };
}

/** What git wrote down about the disk when it made our repository. */
async function diskOf(git: Git, gitDir: string): Promise<Map<string, string>> {
  const asked = ["--type=bool", "--get-regexp", "^core\\.(ignorecase|filemode|symlinks)$"];
  const { stdout } = await git(["config", ...asked], { gitDir, accept: [0, 1] });
  const lines = stdout.toString().trim().split("\n");
  return new Map(lines.map((line) => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)]));
}

/** A folder of our own for the length of `work`, on the disk our repository is on. */
export async function withScratch<T>(repository: Repository, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(repository.gitDir, "scratch-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
