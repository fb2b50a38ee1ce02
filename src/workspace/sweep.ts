import { lstat, readdir } from "node:fs/promises";
import { joinRaw, type RawPath, rawOf, toBytes } from "./raw-path.ts";
import { removeEntry } from "./remove-folder.ts";
import { isGitDirectory, type Refused, reasonAgainst } from "./walk.ts";

/**
 * Takes away what a command left that could keep git waiting, fill its memory or lead it astray, before git is asked
 * anything: FIFOs, repositories inside, rules larger than any. It follows no link and opens no file.
 */
export interface Swept {
  removed: Refused[];
  /** How the files look that tell git where to look; the same looks are the same rules. */
  rules: string;
}

export interface Spared {
  /** Never looked at. */
  ours: ReadonlySet<RawPath>;
  /**
   * Prepared, or ignored when it was: repositories may be in there, as long as git can read them. Git reads only `.git`
   * at the top of such a folder, unless its rules have changed since. "" is all.
   */
  settled: ReadonlySet<RawPath>;
  /** Whether folders of `settled` are looked through as well, which takes long where dependencies are. */
  isThorough?: boolean;
}

export async function sweep(root: string, spared: Spared): Promise<Swept> {
  const removed = new Map<RawPath, Refused>();
  const rules: string[] = [];
  const pending: Folder[] = [{ path: rawOf(""), isSettled: spared.settled.has(rawOf("")) }];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    for (const entry of await entriesIn(root, folder, spared)) {
      const found = await lookAtEntry(root, entry, rules);
      if (found) removed.set(found.path, found);
      else if (isEntered(entry)) pending.push(entry);
    }
  }
  for (const { path } of removed.values()) await removeEntry(inside(root, path));
  return { removed: [...removed.values()], rules: rules.sort().join("\n") };
}

interface Folder {
  path: RawPath;
  isSettled: boolean;
}

interface Entry extends Folder {
  name: string;
  isFolder: boolean;
  isPassedOver: boolean;
  reason: string | undefined;
}

/** A folder that cannot be looked into is told by whoever takes the tree. */
async function entriesIn(root: string, folder: Folder, { ours, settled, isThorough }: Spared): Promise<Entry[]> {
  const at = inside(root, folder.path);
  const entries = await readdir(at, { withFileTypes: true, encoding: "buffer" }).catch(() => []);
  const seen = entries.map((entry) => {
    const name = entry.name.toString("latin1");
    const path = joinRaw(folder.path, name);
    const isFolder = entry.isDirectory();
    const isTop = isFolder && settled.has(path);
    const isPassedOver = isTop && !isThorough;
    return { path, name, isSettled: folder.isSettled || isTop, isFolder, isPassedOver, reason: reasonAgainst(entry) };
  });
  return seen.filter(({ path }) => !ours.has(path));
}

function isEntered({ isFolder, isPassedOver }: Entry): boolean {
  return isFolder && !isPassedOver;
}

/** Of a folder that is passed over. */
async function atTop(root: string, path: RawPath): Promise<Refused | undefined> {
  const inner = joinRaw(path, ".git");
  return !(await isHarmlessGit(root, inner)) ? { path: inner, reason: astray } : undefined;
}

const astray = "a git directory that is none, or leads elsewhere";

async function lookAtEntry(root: string, entry: Entry, rules: string[]): Promise<Refused | undefined> {
  const { path, name, isFolder, isSettled, isPassedOver, reason } = entry;
  if (isPassedOver) return atTop(root, path);
  if (isFolder && path.length > longest) return { path: highAbove(path), reason: "deeper than paths go" };
  if (isSettled && isGitDirectory(name)) {
    return (await isHarmlessGit(root, path)) ? undefined : { path, reason: astray };
  }
  if (reason !== undefined) return { path, reason };
  if (name !== ".gitignore") return undefined;
  const stats = await lstat(inside(root, path)).catch(() => undefined);
  if (stats && stats.size > largestRules) return { path, reason: "larger than rules can be" };
  if (!isSettled) rules.push([path, stats?.ino, stats?.size, stats?.mtimeMs, stats?.ctimeMs].join());
  return undefined;
}

/** Git would read, and keep, all of a larger one. */
const largestRules = 8 * 1024 * 1024;

/** Nothing, or a folder of plain files: what git reads to know a repository holds nothing up and leads nowhere. */
async function isHarmlessGit(root: string, path: RawPath): Promise<boolean> {
  const stats = await lstat(inside(root, path)).catch(() => undefined);
  if (!stats?.isDirectory()) return stats === undefined;
  const entries = await readdir(inside(root, path), { withFileTypes: true }).catch(() => undefined);
  return entries?.every((entry) => entry.isFile() || entry.isDirectory()) ?? false;
}

/** Bytes of a folder's path that leave room for that of the workspace, and for names below (PATH_MAX is 4,096). */
const longest = 2_000;

/** Where such a nest of folders is taken away: a place from which it can be reached. */
function highAbove(path: RawPath): RawPath {
  return rawOf(path.slice(0, path.lastIndexOf("/", longest / 2)));
}

function inside(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
}
