import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CatFile } from "./cat-file.ts";
import { discover, type UserRepository } from "./discover.ts";
import type { Git } from "./git.ts";
import { ownRepository } from "./own-repository.ts";
import { ListingCache } from "./tree-listing.ts";

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
  user: UserRepository;
  /** The user's git configuration by lower-case key, last value wins; read once at the opening. */
  userConfig: ReadonlyMap<string, string>;
  /** The user's home directory, where it is known. */
  userHome: string | undefined;
  objects: CatFile;
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
  const ignoreCase = await git(["config", "--type=bool", "--get", "core.ignorecase"], { gitDir, accept: [0, 1] });
  const objects = new CatFile(git, gitDir);
  return {
    git,
    gitDir,
    objectFormat: found.objectFormat,
    isCaseInsensitive: ignoreCase.stdout.toString().trim() === "true",
    user: found.user,
    userConfig: found.config,
    userHome,
    objects,
    listings: new ListingCache(git, gitDir),
    close: () => objects[Symbol.asyncDispose](),
  };
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
