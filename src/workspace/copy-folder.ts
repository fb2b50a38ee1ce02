import type { Stats } from "node:fs";
import {
  chmod,
  constants,
  copyFile,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readlink,
  symlink,
  utimes,
} from "node:fs/promises";

/**
 * A copy of a file, link or folder with its modes and times: by reference where the disk can, else byte for byte, and
 * never by a hard link, through which one checkout could change another.
 */

/** Into a place that may hold some of it: what stands there stays, and nothing is written through a link. */
export async function copyInto(from: Buffer, to: Buffer): Promise<void> {
  const [source, target] = await Promise.all([lstat(from), lstat(to).catch(nothingThere)]);
  if (target === undefined) return copyFolder(from, to);
  if (!source.isDirectory() || !target.isDirectory()) return;
  const names = await opened({ from, stats: source }, () => readdir(from, { encoding: "buffer" }));
  for (const name of names) await copyInto(below(from, name), below(to, name));
}

/** To a place where nothing is. */
async function copyFolder(from: Buffer, to: Buffer): Promise<void> {
  const plan: Plan = { folders: [], files: [], links: [] };
  await look({ from, to }, plan);
  for (const folder of plan.folders) await mkdir(folder.to, { mode: 0o700 });
  for (let start = 0; start < plan.files.length; start += atOnce) {
    await Promise.all(plan.files.slice(start, start + atOnce).map(copyOne));
  }
  for (const link of plan.links) await copyLink(link);
  // Last, and from the inside out: a file that comes in changes its folder's time, and a mode may forbid it to come.
  for (const { to: folder, stats } of plan.folders.reverse()) {
    await chmod(folder, stats.mode & 0o7777);
    await utimes(folder, stats.atimeMs / 1000, stats.mtimeMs / 1000);
  }
}

const atOnce = 64;

interface Pair {
  from: Buffer;
  to: Buffer;
}
interface Seen extends Pair {
  stats: Stats;
}
interface Plan {
  folders: Seen[];
  files: Seen[];
  links: Seen[];
}

async function look(top: Pair, plan: Plan): Promise<void> {
  const pending = [top];
  for (let pair = pending.pop(); pair; pair = pending.pop()) {
    const seen = { ...pair, stats: await lstat(pair.from) };
    if (seen.stats.isFile()) plan.files.push(seen);
    else if (seen.stats.isSymbolicLink()) plan.links.push(seen);
    else if (seen.stats.isDirectory()) {
      plan.folders.push(seen);
      for (const name of await opened(seen, () => readdir(pair.from, { encoding: "buffer" }))) {
        pending.push({ from: below(pair.from, name), to: below(pair.to, name) });
      }
    }
  }
}

async function copyOne({ from, to, stats }: Seen): Promise<void> {
  await opened({ from, stats }, () => copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL));
  if ((stats.mode & ownerReads) === 0) await chmod(to, stats.mode & 0o7777);
  await utimes(to, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

/** What a command closed to its own account, which may be ours, is opened where it is kept; its copy is closed again. */
async function opened<T>({ from, stats }: Pick<Seen, "from" | "stats">, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EACCES")) throw cause;
    await chmod(from, (stats.mode & 0o7777) | (stats.isDirectory() ? 0o500 : ownerReads));
    return await read();
  }
}

const ownerReads = 0o400;

async function copyLink({ from, to, stats }: Seen): Promise<void> {
  await symlink(await readlink(from, { encoding: "buffer" }), to);
  await lutimes(to, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

function nothingThere(cause: unknown): undefined {
  if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
  return undefined;
}

function below(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from("/"), name]);
}
