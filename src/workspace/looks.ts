import { lstatSync, type Stats } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import type { Version } from "./diff.ts";
import { type RawPath, toBytes } from "./raw-path.ts";

/**
 * How the files of a workspace looked (stat) when their contents were known, so that unchanged ones need not be read.
 * It trusts no time that a program can set, and no look at a file that changed in the very tick of the disk's clock in
 * which it was looked at: the next change may carry the same time. (Git calls such files "racy".)
 */
export class Looks {
  readonly #clockFile: string;
  readonly #known = new Map<RawPath, Look>();

  /** `clockFile` is on the disk of the workspace and out of reach of whoever works in it. */
  constructor(clockFile: string) {
    this.#clockFile = clockFile;
  }

  /** What time it is on the disk. To be asked before the files are looked at. */
  async tick(): Promise<number> {
    await writeFile(this.#clockFile, "x");
    return (await stat(this.#clockFile)).ctimeMs;
  }

  /** The file had this version while it looked like this; `tick` came before the look. */
  learn(path: RawPath, stats: Stats, seen: { version: Version; tick: number }): void {
    const { ino, size, mode, mtimeMs, ctimeMs } = stats;
    const isCertain = ctimeMs < seen.tick;
    this.#known.set(path, { ino, size, mode, mtimeMs, ctimeMs, isCertain, version: seen.version });
  }

  /** The version of a file that looks as it did; undefined where it must be read. */
  recall(path: RawPath, stats: Stats): Version | undefined {
    const known = this.#known.get(path);
    return known?.isCertain && isSame(known, stats) ? known.version : undefined;
  }

  /** The version it may well still have: as large as it was, or the base's where it was never looked at. */
  guess(path: RawPath, stats: Stats, base: Version | undefined): Version | undefined {
    const known = this.#known.get(path);
    if (!known) return base;
    return known.size === stats.size ? known.version : undefined;
  }
}

interface Look extends Pick<Stats, "ino" | "size" | "mode" | "mtimeMs" | "ctimeMs"> {
  version: Version;
  isCertain: boolean;
}

function isSame(known: Look, stats: Stats): boolean {
  return (
    known.ctimeMs === stats.ctimeMs &&
    known.mtimeMs === stats.mtimeMs &&
    known.ino === stats.ino &&
    known.size === stats.size &&
    known.mode === stats.mode
  );
}

/** As many files are read again sooner than they are looked at, and the look remembered: the disk's clock costs a file. */
export const mostReadAgain = 32;

/** Files looked at before the main thread turns to others: about a millisecond. Asynchronously it costs four times that. */
const atOnce = 200;

/** Looks at files of a folder without following the last link; one that is gone is passed over. */
export async function lookAt(
  root: string,
  paths: readonly RawPath[],
  see: (path: RawPath, stats: Stats) => void,
): Promise<void> {
  for (const [index, path] of paths.entries()) {
    if (index % atOnce === atOnce - 1) await setImmediate();
    const stats = lookOnce(root, path);
    if (stats) see(path, stats);
  }
}

function lookOnce(root: string, path: RawPath): Stats | undefined {
  const at = /^[\x01-\x7f]*$/.test(path) ? `${root}/${path}` : Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
  try {
    return lstatSync(at, { throwIfNoEntry: false });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOTDIR") return undefined;
    throw cause;
  }
}
