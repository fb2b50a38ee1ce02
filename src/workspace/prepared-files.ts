import { chmod, lstat, mkdir, readdir, readFile, rename, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { copyInto } from "./copy-folder.ts";
import { parentOf, type RawPath, rawOf, toBytes } from "./raw-path.ts";
import { removeFolder } from "./remove-folder.ts";
import { withAncestors } from "./tree-listing.ts";

/**
 * What a setup left in a checkout that no tree holds (installed dependencies, generated code), kept aside so that it
 * can be brought into other checkouts. It is whole or not there at all.
 */

/** Names are bytes, one character each. */
const record = z.object({ paths: z.array(z.string()) });

/** Moves these paths of `root` to `folder`, which must not exist and is on the same disk. Another's that is there stays. */
export async function keepPrepared(
  root: string,
  paths: readonly RawPath[],
  { draft, folder }: { draft: string; folder: string },
): Promise<void> {
  await mkdir(join(draft, "files"), { recursive: true });
  for (const path of paths) {
    await mkdir(at(join(draft, "files"), parentOf(path)), { recursive: true });
    await move(at(root, path), at(join(draft, "files"), path));
  }
  await writeFile(join(draft, "paths.json"), JSON.stringify({ paths }));
  await mkdir(dirname(folder), { recursive: true });
  await rename(draft, folder).catch(async (cause: unknown) => {
    // Somebody else was first: what they kept under the same key is as good.
    if (!hasCode(cause, "ENOTEMPTY", "EEXIST")) throw cause;
    await removeFolder(draft);
  });
}

/** Is it there? Being asked for counts as being used, at `now` (milliseconds since the epoch). */
export async function isKept(folder: string, now: number): Promise<boolean> {
  const isThere = (await readPaths(folder)) !== undefined;
  if (isThere) await utimes(join(folder, "paths.json"), now / 1000, now / 1000);
  return isThere;
}

/** Removes what a crash left half-made; for whoever is alone in the data folder. */
export async function removeDrafts(store: string): Promise<void> {
  const names = await readdir(store).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(draftPrefix))) await removeFolder(join(store, name));
}

/** Where a draft is made: beside what it will be, and never taken for it. */
export function draftIn(store: string, id: string): string {
  return join(store, `${draftPrefix}${id}`);
}

const draftPrefix = ".draft-";

/** Removes what nobody has used for so long, and drafts as old, which only a crash leaves. */
export async function removeUnused(store: string, since: number): Promise<void> {
  for (const name of await readdir(store).catch(() => [])) {
    const folder = join(store, name);
    const used = await lstat(join(folder, "paths.json")).catch(() => lstat(folder).catch(() => undefined));
    // What cannot be removed takes room and nothing else; the next one tries again.
    if (used && used.mtimeMs < since) await removeFolder(folder).catch(() => {});
  }
}

/** Copies what is kept in `folder` into a fresh checkout. A path that the tree holds, or leads through a link, is left. */
export async function bringPrepared(folder: string, root: string): Promise<void> {
  const paths = await readPaths(folder);
  if (!paths) throw new Fault("internal", `nothing is kept in ${folder}`);
  for (const path of paths) {
    if (!(await isReached(root, path))) continue;
    await copyInto(at(join(folder, "files"), path), at(root, path));
  }
}

async function readPaths(folder: string): Promise<RawPath[] | undefined> {
  try {
    const { paths } = record.parse(JSON.parse(await readFile(join(folder, "paths.json"), "utf8")));
    return paths.map(rawOf);
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return undefined;
    throw cause;
  }
}

/** A folder moves only while it may be written to. */
async function move(from: Buffer, to: Buffer): Promise<void> {
  const stats = await lstat(from);
  if (!stats.isDirectory()) return rename(from, to);
  await chmod(from, stats.mode | 0o700);
  await rename(from, to);
  await chmod(to, stats.mode & 0o7777);
}

/** Makes the folders above it, unless a file or a link of the tree is in the way. */
async function isReached(root: string, path: RawPath): Promise<boolean> {
  for (const folder of withAncestors(parentOf(path))) {
    if (folder === "") continue;
    const place = at(root, folder);
    await mkdir(place).catch((cause: unknown) => {
      if (!hasCode(cause, "EEXIST")) throw cause;
    });
    if (!(await lstat(place)).isDirectory()) return false;
  }
  return true;
}

function at(folder: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), toBytes(path)]);
}

function hasCode(cause: unknown, ...codes: string[]): boolean {
  return cause instanceof Error && "code" in cause && codes.includes(String(cause.code));
}
