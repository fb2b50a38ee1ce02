import { lstat, mkdir, rmdir, symlink, writeFile } from "node:fs/promises";
import { Fault } from "../protocol/failure.ts";
import type { Version } from "./diff.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import { parentOf, type RawPath, toBytes, toShown } from "./raw-path.ts";
import { removeEntry } from "./remove-folder.ts";
import { withAncestors } from "./tree-listing.ts";

/**
 * Puts versions of files in the place of whatever stands at these paths, and below them: first all of that goes, the
 * deepest first, then the versions come. Nothing is ever written or removed through a link.
 */
export async function putVersions(
  open: OpenWorkspace,
  paths: readonly RawPath[],
  versions: ReadonlyMap<RawPath, Version>,
): Promise<void> {
  const deepestFirst = [...paths].sort((a, b) => b.length - a.length);
  for (const path of deepestFirst) await removeAt(open.root, path);
  for (const [path, version] of versions) await bringBack(open, path, version);
  for (const path of deepestFirst) await removeEmptyAbove(open.root, path);
}

async function removeAt(root: string, path: RawPath): Promise<void> {
  for (const step of withAncestors(parentOf(path))) if (step !== "" && !(await isFolder(root, step))) return;
  await removeEntry(inside(root, path));
}

/** Whatever stands in the way of it goes. */
async function bringBack(open: OpenWorkspace, path: RawPath, { mode, oid }: Version): Promise<void> {
  for (const step of withAncestors(parentOf(path))) {
    if (step === "" || (await isFolder(open.root, step))) continue;
    await removeEntry(inside(open.root, step));
    await mkdir(inside(open.root, step));
  }
  const at = inside(open.root, path);
  await removeEntry(at);
  if (mode === "160000") return mkdir(at);
  const content = await open.repository.objects.read(oid);
  if (!content) throw new Fault("git", `object ${oid} of ${toShown(path)} cannot be read`);
  if (mode === "120000") await symlink(content, at);
  else await writeFile(at, content, { flag: "wx", mode: mode === "100755" ? 0o777 : 0o666 });
}

async function removeEmptyAbove(root: string, path: RawPath): Promise<void> {
  for (let folder = parentOf(path); folder !== ""; folder = parentOf(folder)) {
    const isGone = await rmdir(inside(root, folder)).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

async function isFolder(root: string, path: RawPath): Promise<boolean> {
  return lstat(inside(root, path)).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function inside(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
}
