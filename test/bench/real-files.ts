import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { git } from "./many-files.ts";

const wanted = /\.(js|mjs|cjs|ts|tsx)$/;
const mostBytes = 1_000_000;
const modules = join(import.meta.dirname, "../../node_modules");

/** Sources that nobody here wrote: of the installed packages, in a repository. */
export interface RealFiles {
  repository: string;
  files: number;
  megabytes: number;
}

/** Makes a repository of as many of them as asked; where there are fewer, they are taken again as `copy-N/`. */
export async function realFiles(repository: string, count: number): Promise<RealFiles> {
  const sources = await publishedSources();
  let bytes = 0;
  for (let file = 0; file < count; file++) {
    const source = sources[file % sources.length];
    if (!source) throw new Error(`${modules} holds no sources`);
    await place(source.path, join(repository, `copy-${1 + Math.floor(file / sources.length)}`));
    bytes += source.size;
  }
  await git(dirname(repository), ["init", "--quiet", repository]);
  await git(repository, ["config", "gc.auto", "0"]);
  await git(repository, ["add", "--all", "--force"]);
  await git(repository, ["-c", "user.name=B", "-c", "user.email=b@b", "commit", "--quiet", "--message", "published"]);
  return { repository, files: count, megabytes: bytes / 2 ** 20 };
}

/** Puts the committed bytes back into the checkout. */
export async function restore(repository: string): Promise<void> {
  await git(repository, ["reset", "--quiet", "--hard"]);
}

async function publishedSources(): Promise<{ path: string; size: number }[]> {
  const entries = await readdir(modules, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(modules.length + 1))
    .sort();
  const sized = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(join(modules, path))).size })));
  return sized.filter(({ size }) => size <= mostBytes);
}

/** No part of a path is hidden or called node_modules: either would be passed over by a tool that searches folders. */
async function place(path: string, folder: string): Promise<void> {
  const visible = path.split(sep).map((part) => (part === "node_modules" ? "modules" : part.replace(/^\./, "dot-")));
  const target = join(folder, ...visible);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(join(modules, path), target);
}
