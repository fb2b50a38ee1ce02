import { readdir } from "node:fs/promises";
import { lookAt } from "./looks.ts";
import { joinRaw, type RawPath, rawOf, toBytes } from "./raw-path.ts";
import { removeEntry } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { unknownTo } from "./unknown-files.ts";
import { type Refused, reasonAgainst } from "./walk.ts";

/**
 * What in a full checkout is nobody's work: what git ignores there, and what was prepared before a command came and
 * looks as it did. Git is asked only after everything is gone that could keep it waiting or lead it astray.
 */
export interface Overlooked {
  /** Not looked at, with all below it. */
  without: ReadonlySet<RawPath>;
  ignored: readonly RawPath[];
  /** What no tree takes and no git may meet, such as a FIFO or a repository inside: it has been removed. */
  removed: Refused[];
}

interface Place {
  root: string;
  /** An index of the base, of our own, so that no command can tell git what to overlook. */
  indexFile: string;
  /** Whether `.git` at the top is ours. */
  hasGit: boolean;
}

/** `prepare` brings in what the base does not hold; what it brought is known from then on. */
export async function overlooking(
  repository: Repository,
  place: Place,
  prepare?: () => Promise<void>,
): Promise<() => Promise<Overlooked>> {
  const strange = new Set(prepare ? await unknownTo(repository, { ...place, which: "not ignored" }) : []);
  await prepare?.();
  const found = prepare ? await unknownTo(repository, { ...place, which: "not ignored" }) : [];
  const prepared = found.filter((path) => !strange.has(path));
  const unchanged = await rememberLooks(place.root, prepared);
  const settled = new Set(prepare ? await unknownTo(repository, { ...place, which: "ignored" }) : []);
  const top = place.hasGit ? [rawOf(".git")] : [];
  return async () => {
    const removed = await removeSpecials(place.root, new Set([...top, ...settled, ...prepared]));
    const ignored = await unknownTo(repository, { ...place, which: "ignored" });
    return { without: new Set([...top, ...(await unchanged()), ...ignored]), ignored, removed };
  };
}

/** Later tells which of these look as they do now. A folder (a repository inside) is not looked into. */
async function rememberLooks(root: string, paths: readonly RawPath[]): Promise<() => Promise<RawPath[]>> {
  const looks = await looksOf(root, paths);
  return async () => {
    const now = await looksOf(root, paths);
    return paths.filter((path) => looks.get(path) === now.get(path));
  };
}

async function looksOf(root: string, paths: readonly RawPath[]): Promise<Map<RawPath, string>> {
  const looks = new Map<RawPath, string>();
  await lookAt(root, paths, (path, stats) => {
    const { ino, size, mode, mtimeMs, ctimeMs } = stats;
    looks.set(path, stats.isDirectory() ? "folder" : [ino, size, mode, mtimeMs, ctimeMs].join());
  });
  return looks;
}

/** A FIFO named .gitignore, or as HEAD of a repository inside, would keep git waiting for ever. */
async function removeSpecials(root: string, without: ReadonlySet<RawPath>): Promise<Refused[]> {
  const removed: Refused[] = [];
  const pending: RawPath[] = [rawOf("")];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const entries = await entriesIn(root, directory);
    const seen = entries.filter(({ path }) => !without.has(path));
    removed.push(...seen.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }])));
    pending.push(...seen.flatMap(({ path, reason, isFolder }) => (isFolder && reason === undefined ? [path] : [])));
  }
  for (const { path } of removed) await removeEntry(inside(root, path));
  return [...new Map(removed.map((each) => [each.path, each])).values()];
}

/** Bytes of a folder's path that leave room for that of the workspace, and for names below (PATH_MAX is 4,096). */
const longest = 2_000;

/** Where such a nest of folders is taken away: a place from which it can be reached. */
function highAbove(path: RawPath): RawPath {
  return rawOf(path.slice(0, path.lastIndexOf("/", longest / 2)));
}

/** A folder that cannot be looked into is told by whoever takes the tree. */
async function entriesIn(root: string, directory: RawPath) {
  const entries = await readdir(inside(root, directory), { withFileTypes: true, encoding: "buffer" }).catch(() => []);
  return entries.map((entry) => {
    const path = joinRaw(directory, entry.name.toString("latin1"));
    const isFolder = entry.isDirectory();
    if (isFolder && path.length > longest) return { path: highAbove(path), reason: "deeper than paths go", isFolder };
    return { path, reason: reasonAgainst(entry), isFolder };
  });
}

function inside(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
}
