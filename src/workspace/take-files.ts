import type { Stats } from "node:fs";
import { access, constants, lstat, readlink } from "node:fs/promises";
import { bringsSecret, fileHolds, secretReason } from "./bring-secret.ts";
import type { Version } from "./diff.ts";
import { lookAt, mostReadAgain } from "./looks.ts";
import { objectId } from "./loose-objects.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import { type RawPath, toBytes, toRaw } from "./raw-path.ts";
import { readSeen } from "./read-seen.ts";
import type { Refused } from "./walk.ts";

/**
 * The versions of the files of a workspace. Only what no longer looks as it did is read, and stored without filter or
 * line-ending conversion.
 */
export async function takeFiles(
  open: OpenWorkspace,
  present: readonly RawPath[],
): Promise<{ versions: Map<RawPath, Version>; refused: Refused[] }> {
  // Without a time, no look is certain.
  const tick = present.length > mostReadAgain ? await open.looks.tick() : Number.NEGATIVE_INFINITY;
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
      if (typeof version === "string") refused.push(refusal(path, version));
      if (typeof version !== "object") continue;
      open.looks.learn(path, stats, { version, tick });
      versions.set(path, version);
    }
  }
  return { versions, refused };
}

function refusal(path: RawPath, why: "unreadable" | "secret"): Refused {
  return why === "secret" ? { path, rule: why, reason: secretReason } : { path, reason: why };
}

const atOnce = 64;
/** A larger file is left to git, which need not hold it in memory. */
const largestRead = 4 * 1024 * 1024;

interface Seen {
  path: RawPath;
  stats: Stats;
}

type Taken = Version | "unreadable" | "secret" | undefined;

async function take(open: OpenWorkspace, seen: Seen): Promise<Taken> {
  const at = Buffer.concat([Buffer.from(`${open.root}/`), toBytes(seen.path)]);
  try {
    if (seen.stats.isSymbolicLink()) return await takeLink(open, seen.path, at);
    return await (seen.stats.size <= largestRead ? takeSmall(open, seen, at) : takeLarge(open, seen, at));
  } catch (cause) {
    // Gone since it was seen.
    if (!(await isThere(at))) return undefined;
    throw cause;
  }
}

/** Read once: what is looked through for secrets is what is stored. */
async function takeSmall(open: OpenWorkspace, seen: Seen, at: Buffer): Promise<Taken> {
  const bytes = await readSeen(at, seen.stats.size).catch(unlessRefused);
  if (!bytes) return "unreadable";
  const { repository, listing, looks } = open;
  const guess = looks.guess(seen.path, seen.stats, listing.entries.get(seen.path));
  // What the blob is known to be is the base's, and need not be stored once more.
  if (guess && guess.oid === objectId("blob", bytes, repository.objectFormat)) {
    return { mode: modeOf(open, seen), oid: guess.oid };
  }
  if (await bringsSecret(open, seen.path, async (isSecret) => isSecret(bytes))) return "secret";
  return { mode: modeOf(open, seen), oid: await repository.writer.blob(bytes) };
}

async function takeLarge(open: OpenWorkspace, seen: Seen, at: Buffer): Promise<Taken> {
  const isReadable = await access(at, constants.R_OK).then(() => true, unlessRefused);
  if (!isReadable) return "unreadable";
  if (await bringsSecret(open, seen.path, (isSecret) => fileHolds(at, isSecret))) return "secret";
  const oid = await open.repository.writer.file(`${toRaw(open.root)}/${seen.path}`);
  return { mode: modeOf(open, seen), oid };
}

function unlessRefused(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "EACCES" && cause.code !== "EPERM") throw cause;
}

async function takeLink(open: OpenWorkspace, path: RawPath, at: Buffer): Promise<Version | "secret"> {
  const target = await readlink(at, { encoding: "buffer" });
  if (await bringsSecret(open, path, async (isSecret) => isSecret(target))) return "secret";
  return { mode: "120000", oid: await open.repository.writer.blob(target) };
}

/** As git sees it, where the disk has no executable bits or no links: then what the base says stays. */
function modeOf({ repository, listing }: OpenWorkspace, { path, stats }: Seen): string {
  const before = listing.entries.get(path)?.mode;
  if (before === "120000" && !repository.disk.hasLinks) return before;
  if (!repository.disk.hasModes) return before?.startsWith("100") ? before : "100644";
  return (stats.mode & 0o100) === 0 ? "100644" : "100755";
}

function isThere(at: Buffer): Promise<boolean> {
  return lstat(at).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== "ENOENT" && cause.code !== "ENOTDIR",
  );
}
