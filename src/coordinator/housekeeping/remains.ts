import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Around, idleSince } from "./around.ts";
import type { Garbage } from "./garbage.ts";
import { isThere } from "./is-there.ts";
import { bytesBelow } from "./look-into.ts";
import { removeUnused } from "./remove-unused.ts";

/**
 * What processes that are gone left in one of our repositories on which no job works: git's lock files, which keep
 * everybody out, half-made folders, and records of checkouts that are no more. Told by their age; git holds a lock for
 * milliseconds.
 */
export async function findRemains(gitDir: string, around: Around): Promise<Garbage[]> {
  const locks = await lockFiles(gitDir);
  const top = await readdir(gitDir);
  const drafts = top.filter((name) => /^(?:scratch|checkout)-\w{6}$/.test(name)).map((name) => join(gitDir, name));
  return [
    ...(await garbageOf({ what: "locks", why: "of git processes that are gone" }, locks, around)),
    ...(await garbageOf({ what: "drafts", why: "half-made, of a process that is gone" }, drafts, around)),
    ...(await garbageOf({ what: "records", why: "of checkouts that are gone" }, await staleRecords(gitDir), around)),
  ];
}

async function lockFiles(gitDir: string): Promise<string[]> {
  const below = await readdir(join(gitDir, "refs"), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = below.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const top = (await readdir(gitDir)).map((name) => join(gitDir, name));
  return [...top, ...files].filter((path) => path.endsWith(".lock"));
}

async function staleRecords(gitDir: string): Promise<string[]> {
  const records = join(gitDir, "worktrees");
  const stale: string[] = [];
  for (const name of await readdir(records).catch(() => [])) {
    const pointer = await readFile(join(records, name, "gitdir"), "utf8").catch(() => undefined);
    if (pointer === undefined || !(await isThere(pointer.trimEnd()))) stale.push(join(records, name));
  }
  return stale;
}

async function garbageOf(
  kind: Pick<Garbage, "what" | "why">,
  paths: readonly string[],
  around: Around,
): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for (const path of paths) {
    if (!(await isIdle(path, around))) continue;
    const remove = removeUnused(path, (now) => isIdle(path, now), around);
    garbage.push({ ...kind, name: path, count: 1, bytes: await bytesBelow(path), remove });
  }
  return garbage;
}

async function isIdle(path: string, around: Around): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats !== undefined && !stats.isSymbolicLink() && stats.mtimeMs < idleSince(around);
}
