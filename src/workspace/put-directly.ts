import { writeFile } from "node:fs";
import { lstat, mkdir, rm, symlink } from "node:fs/promises";
import { promisify } from "node:util";
import { Fault } from "../protocol/failure.ts";
import { parentOf, type RawPath, toBytes, toShown } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import { type TreeEntry, withAncestors } from "./tree-listing.ts";

/**
 * Writes a few small files of a tree without a process of its own for it, by the object reader that runs anyway. It
 * never writes through a link and never over what stands there.
 */
export async function putDirectly(
  { repository, root }: { repository: Repository; root: string },
  entries: readonly TreeEntry[],
): Promise<void> {
  const contents = await Promise.all(entries.map(({ oid }) => repository.objects.read(oid)));
  for (const folder of foldersOf(entries)) await makeDirectory(root, folder);
  // Links last: where names differ only by case, no file can go through one of them.
  const isLink = ({ mode }: TreeEntry): boolean => mode === "120000";
  for (const linksNow of [false, true]) {
    const due = entries.map((entry, index) => ({ entry, content: contents[index] }));
    const now = due.filter(({ entry }) => isLink(entry) === linksNow);
    const done = await Promise.allSettled(now.map(({ entry, content }) => putOne(root, entry, content)));
    for (const each of done) if (each.status === "rejected") throw each.reason;
  }
}

/** Each once, what is above it first. */
function foldersOf(entries: readonly TreeEntry[]): Set<RawPath> {
  const folders = new Set<RawPath>();
  for (const parent of new Set(entries.map(({ path }) => parentOf(path)))) {
    if (parent !== "") for (const step of withAncestors(parent)) folders.add(step);
  }
  return folders;
}

/** Whether that is cheaper than a git that checks them out: at most so many, and so many bytes of each. */
export async function isForDirectWriting(repository: Repository, entries: readonly TreeEntry[]): Promise<boolean> {
  if (entries.length > mostFiles || repository.isCaseInsensitive) return false;
  const known = await Promise.all(entries.map(({ oid }) => repository.objects.info(oid)));
  return known.every((object) => object !== undefined && object.size <= largestFile);
}

const mostFiles = 32;
const largestFile = 256 * 1024;

// With a callback: a `FileHandle` costs as much again as the writing.
const write = promisify(writeFile);

async function putOne(root: string, { path, mode, oid }: TreeEntry, content: Buffer | undefined): Promise<void> {
  if (!content) throw new Fault("git", `object ${oid} of ${toShown(path)} cannot be read`);
  const at = inside(root, path);
  try {
    if (mode === "120000") await symlink(content, at);
    else await write(at, content, { flag: "wx", mode: mode === "100755" ? 0o777 : 0o666 });
  } catch (cause) {
    if (isCode(cause, "EEXIST")) return;
    // Half a file would pass for an edit.
    await rm(at, { force: true });
    throw cause;
  }
}

async function makeDirectory(root: string, path: RawPath): Promise<void> {
  try {
    await mkdir(inside(root, path));
  } catch (cause) {
    if (!isCode(cause, "EEXIST")) throw cause;
    if ((await lstat(inside(root, path))).isDirectory()) return;
    throw new Fault("git", `${toShown(path)} in the workspace is not a directory`);
  }
}

function inside(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && "code" in cause && cause.code === code;
}
