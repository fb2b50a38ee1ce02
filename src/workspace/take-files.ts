import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { access, constants, lstat, readFile, readlink } from "node:fs/promises";
import { bringsSecret, fileHolds, secretReason } from "./bring-secret.ts";
import type { Version } from "./diff.ts";
import { lookAt } from "./looks.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import { type RawPath, toBytes, toRaw } from "./raw-path.ts";
import type { Refused } from "./walk.ts";

/**
 * The versions of the files of a workspace. Only what no longer looks as it did is read, and stored without filter or
 * line-ending conversion.
 */
export async function takeFiles(
  open: OpenWorkspace,
  present: readonly RawPath[],
): Promise<{ versions: Map<RawPath, Version>; refused: Refused[] }> {
  const tick = await open.looks.tick();
  const versions = new Map<RawPath, Version>();
  const unclear: Seen[] = [];
  await lookAt(open.root, present, (path, stats) => {
    const known = open.looks.recall(path, stats);
    if (known) versions.set(path, known);
    else if (stats.isFile() || stats.isSymbolicLink()) unclear.push({ path, stats });
  });
  const refused: Refused[] = [];
  for (let from = 0; from < unclear.length; from += atOnce) {
    const some = unclear.slice(from, from + atOnce);
    const taken = await Promise.all(some.map((seen) => take(open, seen)));
    for (const [index, { path, stats }] of some.entries()) {
      const version = taken[index];
      if (version === "unreadable") refused.push({ path, reason: version });
      if (version === "secret") refused.push({ path, rule: version, reason: secretReason });
      if (typeof version !== "object") continue;
      open.looks.learn(path, stats, { version, tick });
      versions.set(path, version);
    }
  }
  return { versions, refused };
}

const atOnce = 64;
/** A larger file is left to git, which need not hold it in memory. */
const largestRead = 4 * 1024 * 1024;

interface Seen {
  path: RawPath;
  stats: Stats;
}

async function take(open: OpenWorkspace, seen: Seen): Promise<Version | "unreadable" | "secret" | undefined> {
  const at = Buffer.concat([Buffer.from(`${open.root}/`), toBytes(seen.path)]);
  try {
    if (seen.stats.isSymbolicLink()) return await takeLink(open, seen.path, at);
    if (!(await isReadable(at))) return "unreadable";
    const guess = open.looks.guess(seen.path, seen.stats, open.listing.entries.get(seen.path));
    const isUnchanged = guess && seen.stats.size <= largestRead && (await hasContent(open, at, guess.oid));
    if (isUnchanged) return { mode: modeOf(open, seen), oid: guess.oid };
    if (await bringsSecret(open, seen.path, (isSecret) => fileHolds(at, isSecret))) return "secret";
    const oid = await open.repository.writer.file(`${toRaw(open.root)}/${seen.path}`);
    return { mode: modeOf(open, seen), oid };
  } catch (cause) {
    // Gone since it was seen.
    if (!(await isThere(at))) return undefined;
    throw cause;
  }
}

async function takeLink(open: OpenWorkspace, path: RawPath, at: Buffer): Promise<Version | "secret"> {
  const target = await readlink(at, { encoding: "buffer" });
  if (await bringsSecret(open, path, async (isSecret) => isSecret(target))) return "secret";
  return { mode: "120000", oid: await open.repository.writer.blob(target) };
}

/** What the blob is known to be is not stored once more: that would touch the times of the user's object files. */
async function hasContent({ repository }: OpenWorkspace, at: Buffer, oid: string): Promise<boolean> {
  const bytes = await readFile(at);
  return createHash(repository.objectFormat).update(`blob ${bytes.length}\0`).update(bytes).digest("hex") === oid;
}

/** As git sees it, where the disk has no executable bits or no links: then what the base says stays. */
function modeOf({ repository, listing }: OpenWorkspace, { path, stats }: Seen): string {
  const before = listing.entries.get(path)?.mode;
  if (before === "120000" && !repository.disk.hasLinks) return before;
  if (!repository.disk.hasModes) return before?.startsWith("100") ? before : "100644";
  return (stats.mode & 0o100) === 0 ? "100644" : "100755";
}

function isReadable(at: Buffer): Promise<boolean> {
  return access(at, constants.R_OK).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== "EACCES" && cause.code !== "EPERM",
  );
}

function isThere(at: Buffer): Promise<boolean> {
  return lstat(at).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== "ENOENT" && cause.code !== "ENOTDIR",
  );
}
