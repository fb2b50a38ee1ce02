import { copyFile, mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { GitOptions } from "./git.ts";
import { copyPlain, refuseOdd } from "./plain-file.ts";
import { type Repository, withScratch } from "./repository.ts";

/**
 * The user's checkout through a git directory of ours: a copy of the user's index, our object store for what is
 * written, the user's rules about ignoring and line endings, and no filter driver, hook or monitor at all.
 */
export interface UserView {
  /** Options for git commands in this view. */
  where: GitOptions & { gitDir: string };
  /** `-c` settings that say what the user's own git would do about files. */
  flags: readonly string[];
}

export async function withUserView<T>(repository: Repository, work: (view: UserView) => Promise<T>): Promise<T> {
  return await withScratch(repository, async (directory) => {
    await makeGitDirectory(repository, directory);
    const indexFile = join(directory, "index");
    await copyIndex(repository.user.indexFile, directory);
    const { top } = repository.user;
    await refuseOdd([join(top, ".gitignore"), join(top, ".gitattributes"), repository.user.indexFile]);
    const env = { GIT_OBJECT_DIRECTORY: join(repository.gitDir, "objects") };
    return await work({
      where: { gitDir: directory, workTree: top, indexFile, cwd: top, env, timeoutMs },
      flags: await flagsOf(repository),
    });
  });
}

/** Even a checkout of a million files on a slow disk is looked through by then. */
const timeoutMs = 600_000;

async function makeGitDirectory(repository: Repository, directory: string): Promise<void> {
  for (const part of ["objects", "refs", "info"]) await mkdir(join(directory, part));
  const version = repository.objectFormat === "sha1" ? 0 : 1;
  const format = version === 0 ? "" : `[extensions]\n\tobjectFormat = ${repository.objectFormat}\n`;
  await writeFile(
    join(directory, "config"),
    `[core]\n\trepositoryFormatVersion = ${version}\n\tbare = false\n${format}`,
  );
  await writeFile(join(directory, "HEAD"), "ref: refs/heads/none\n");
  const { commonDir } = repository.user;
  for (const part of ["shallow", "info/exclude", "info/attributes"]) {
    await copyPlain(join(commonDir, part), join(directory, part));
  }
}

/** Also what a split index is made of. The copy is no newer than the original: git's doubt about the clock stays. */
async function copyIndex(indexFile: string, directory: string): Promise<void> {
  const found = await stat(indexFile).catch(absent);
  if (!found) return;
  const copy = join(directory, basename(indexFile));
  await copyFile(indexFile, copy);
  for (const name of await readdir(dirname(indexFile))) {
    if (name.startsWith("sharedindex.")) await copyPlain(join(dirname(indexFile), name), join(directory, name));
  }
  // A double holds the time to a quarter of a microsecond; rounding down only makes git look closer.
  const seconds = Math.floor(found.mtimeMs * 1_000 - 1) / 1_000_000;
  await utimes(copy, seconds, seconds);
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT") throw cause;
  return undefined;
}

/** Settings about how files and blobs correspond; none of them names a program. */
const aboutFiles = [
  "core.autocrlf",
  "core.eol",
  "core.filemode",
  "core.symlinks",
  "core.ignorecase",
  "core.trustctime",
  "core.checkstat",
  "core.precomposeunicode",
];

async function flagsOf(repository: Repository): Promise<string[]> {
  const { userConfig, userHome } = repository;
  const settings = aboutFiles.flatMap((key) => {
    const value = userConfig.get(key);
    return value === undefined ? [] : [`${key}=${value}`];
  });
  const excludes = userConfig.get("core.excludesfile") ?? (userHome ? join(userHome, ".config/git/ignore") : undefined);
  const file = excludes?.replace(/^~(?=\/)/, userHome ?? "~");
  // A pipe or a device has no rules in it, and git would read it to the end.
  if (file && (await stat(resolve(repository.user.top, file)).catch(() => undefined))?.isFile()) {
    settings.push(`core.excludesFile=${file}`);
  }
  return settings.flatMap((setting) => ["-c", setting]);
}
