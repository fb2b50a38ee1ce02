import type { Change, Version } from "./diff.ts";
import { editedAmong } from "./edited-files.ts";
import { ignoredAmong } from "./ignored.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import { outsideLinks } from "./outside-links.ts";
import type { Overlooked } from "./overlooked.ts";
import { type RawPath, toShown } from "./raw-path.ts";
import { takeFiles } from "./take-files.ts";
import { type TreeChange, writeTree } from "./tree.ts";
import { entriesBelow, type Listing, withAncestors } from "./tree-listing.ts";
import { type Refused, walk } from "./walk.ts";
import type { TakenTree } from "./workspace.ts";

/** A tree as it was taken, with every refusal by its raw path. */
export interface RawTaken extends Pick<TakenTree, "tree" | "touched" | "ignored"> {
  refused: Refused[];
}

export async function takeTree(open: OpenWorkspace, overlooked?: Overlooked): Promise<TakenTree> {
  return shownTaken(await takeRaw(open, overlooked));
}

function shownTaken(taken: RawTaken): TakenTree {
  return { ...taken, refused: taken.refused.slice(0, most).map(shownRefusal) };
}

/**
 * A workspace as a tree: the base, with what the disk says about every path that is or was in the workspace. A path
 * that is refused stays as the base has it.
 */
export async function takeRaw(open: OpenWorkspace, overlooked?: Overlooked): Promise<RawTaken> {
  const { files, links, refused } = await walk(open.root, overlooked?.without);
  refused.push(...(overlooked?.removed ?? []));
  const edited = await editedAmong(open, overlooked?.ignored ?? []);
  const onDisk = [...files, ...links, ...edited.kept];
  const isNew = (path: RawPath): boolean => !open.held.has(path) && !open.listing.entries.has(path);
  const ignored = await ignoredAmong(open, { paths: onDisk.filter(isNew), files: new Set(files) });
  const [present, drowned] = partition(onDisk, (path) => !isInSubmodule(open.listing, path));
  for (const path of drowned) refused.push({ path, reason: "inside a submodule" });
  const taken = await takeFiles(
    open,
    present.filter((path) => !ignored.has(path)),
  );
  refused.push(...taken.refused);
  for (const path of taken.versions.keys()) open.held.add(path);

  const touched = touchedPaths(open, taken.versions);
  for (const path of await outsideLinks(open, touched)) {
    refused.push({ path, reason: "a link to outside the repository" });
  }
  const allowed = withoutRefused(touched, refused);
  for (const path of clashes(open.listing, allowed)) refused.push({ path, reason: "in the way of files of the base" });
  const kept = withoutRefused(allowed, refused);
  const tree = await writeTree(open.repository, open.listing.tree, kept.map(toTreeChange));
  return { tree, touched: kept, ignored: shown([...ignored, ...edited.told]), refused };
}

/** Most paths of a kind to name. */
const most = 1_000;

function touchedPaths(open: OpenWorkspace, versions: ReadonlyMap<RawPath, Version>): Change[] {
  const touched: Change[] = [];
  for (const path of open.held) {
    const known = open.listing.entries.get(path);
    const after = versions.get(path) ?? null;
    if (known?.mode === after?.mode && known?.oid === after?.oid) continue;
    touched.push({ path, before: known ? { mode: known.mode, oid: known.oid } : null, after });
  }
  return touched.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What stands where a refused thing is, and below it, stays as the base has it. */
function withoutRefused(touched: readonly Change[], refused: readonly Refused[]): Change[] {
  const paths = new Set(refused.map(({ path }) => path));
  return touched.filter(({ path }) => ![...withAncestors(path)].some((step) => paths.has(step)));
}

/** Paths whose place is taken by base files that the workspace never held, and so cannot have removed. */
function clashes(listing: Listing, touched: readonly Change[]): Set<RawPath> {
  const deleted = new Set(touched.filter(({ after }) => after === null).map(({ path }) => path));
  const stays = (path: RawPath): boolean => listing.entries.has(path) && !deleted.has(path);
  const isBlocked = (path: RawPath): boolean =>
    [...withAncestors(path)].some((step) => step !== path && stays(step)) ||
    entriesBelow(listing, path).some((below) => stays(below.path));
  return new Set(touched.filter(({ path, after }) => after !== null && isBlocked(path)).map(({ path }) => path));
}

function toTreeChange({ path, after }: Change): TreeChange {
  return { path, mode: after?.mode ?? null, oid: after?.oid ?? null };
}

function isInSubmodule(listing: Listing, path: RawPath): boolean {
  for (const step of withAncestors(path)) if (listing.entries.get(step)?.mode === "160000") return true;
  return false;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function shown(paths: readonly RawPath[]): string[] {
  return paths.slice(0, most).map(toShown);
}

function shownRefusal({ path, ...why }: Refused): TakenTree["refused"][number] {
  return { path: toShown(path), ...why };
}
