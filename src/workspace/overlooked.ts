import { lookAt } from "./looks.ts";
import { type RawPath, rawOf } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import { type Spared, sweep } from "./sweep.ts";
import { unknownTo } from "./unknown-files.ts";
import { overWorkOfOthers, patienceMs } from "./unsettled.ts";
import type { Refused } from "./walk.ts";

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

/**
 * `prepare` brings in what the base does not hold; what it brought is known from then on. What is returned throws
 * `Unsettled` where git cannot tell.
 */
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
  const spared = { ours: new Set(top), settled: new Set([...settled, ...prepared]) };
  const first = prepare ? await sweep(place.root, spared) : undefined;
  return async () => {
    const removed = await sweepAll(place.root, spared, first?.rules);
    const asked = { ...place, which: "ignored" as const, timeoutMs: patienceMs };
    const ignored = await overWorkOfOthers(() => unknownTo(repository, asked));
    return { without: new Set([...top, ...(await unchanged()), ...ignored]), ignored, removed };
  };
}

/** Under other rules, git may enter what it passed over before. */
async function sweepAll(root: string, spared: Spared, rules: string | undefined): Promise<Refused[]> {
  const { removed, rules: now } = await sweep(root, spared);
  if (now === rules || spared.settled.size === 0) return removed;
  const more = await sweep(root, { ...spared, isThorough: true });
  return [...removed, ...more.removed];
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
