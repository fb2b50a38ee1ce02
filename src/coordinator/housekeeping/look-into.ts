import type { Dirent, Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Left } from "./garbage.ts";

/** Looks into folders of the data folder. A link is never followed, wherever it leads. */
export interface Entry {
  name: string;
  path: string;
  isFolder: boolean;
  isFile: boolean;
  /** Milliseconds since the epoch. */
  changedAt: number;
}

/** What lies in `home`/`folder`; nothing where there is no such folder, and a reason where it is none. */
export async function lookInto(home: string, folder: string): Promise<{ entries: Entry[]; left: Left[] }> {
  const place = join(home, folder);
  const stats = await lstat(place).catch(absent);
  if (!stats) return { entries: [], left: [] };
  if (!stats.isDirectory()) {
    return { entries: [], left: [{ what: folder, name: place, why: "it is no folder, and links are not followed" }] };
  }
  const entries: Entry[] = [];
  for (const found of await readdir(place, { withFileTypes: true })) {
    const entry = await entryOf(place, found);
    if (entry) entries.push(entry);
  }
  return { entries, left: [] };
}

async function entryOf(place: string, found: Dirent): Promise<Entry | undefined> {
  const path = join(place, found.name);
  const stats = await lstat(path).catch(absent);
  if (!stats) return undefined;
  const { mtimeMs: changedAt } = stats;
  return { name: found.name, path, isFolder: stats.isDirectory(), isFile: stats.isFile(), changedAt };
}

/** When that was changed, as `Entry` says it; never, for what is not there. */
export async function changedAt(path: string): Promise<number> {
  const stats = await lstat(path).catch(absent);
  return stats?.mtimeMs ?? 0;
}

/** The bytes that a file, or all below a folder, takes on the disk. What cannot be looked at counts as nothing. */
export async function bytesBelow(path: string): Promise<number> {
  let bytes = 0;
  const pending = [Buffer.from(path)];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const at = next;
    const stats = await lstat(at).catch(() => undefined);
    bytes += sizeOnDisk(stats);
    if (!stats?.isDirectory()) continue;
    const names = await readdir(at, { encoding: "buffer" }).catch(() => []);
    for (const name of names) pending.push(Buffer.concat([at, Buffer.from("/"), name]));
  }
  return bytes;
}

/** POSIX counts blocks of 512 bytes; Windows has none. */
function sizeOnDisk(stats: Stats | undefined): number {
  return stats ? (stats.blocks ?? 0) * 512 || stats.size : 0;
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT") throw cause;
  return undefined;
}
