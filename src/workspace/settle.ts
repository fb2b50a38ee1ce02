import { lstat, mkdir, rmdir, symlink, writeFile } from "node:fs/promises";
import { Fault } from "../protocol/failure.ts";
import type { Change, Version } from "./diff.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import type { Overlooked } from "./overlooked.ts";
import { parentOf, type RawPath, toBytes, toShown } from "./raw-path.ts";
import { removeEntry } from "./remove-folder.ts";
import { type RawTaken, takeRaw } from "./take-tree.ts";
import { withAncestors } from "./tree-listing.ts";

/**
 * After a command: what it changed and may keep stays, all else is as it was before it, byte for byte. Nothing is ever
 * put back or removed through a link that it left.
 */
export interface Settled {
  treeBefore: string;
  tree: string;
  /** How many files it changed and kept. */
  filesChanged: number;
  putBack: PutBack[];
}

export interface PutBack extends Objection {
  /** For a person. */
  path: string;
}

export interface Objection {
  rule: string;
  source: string;
  reason: string;
}

/** What speaks against changes, by path; those that are not named may stay. */
export type JudgeChanges = (changes: readonly Change[]) => Promise<ReadonlyMap<RawPath, Objection>>;

interface Settling {
  before: RawTaken;
  judge: JudgeChanges;
  overlooked: () => Promise<Overlooked>;
}

/** What is put back may uncover more; more often than this, somebody else writes there too. */
const mostRounds = 4;

export async function settle(open: OpenWorkspace, { before, judge, overlooked }: Settling): Promise<Settled> {
  const putBack = new Map<RawPath, Objection>();
  for (let round = 0; round < mostRounds; round++) {
    const after = await takeRaw(open, await overlooked());
    const changes = changesBetween(before, after);
    const objections = new Map([...refusedByTree(after), ...(await judge(changes))]);
    for (const [path, objection] of objections) if (!putBack.has(path)) putBack.set(path, objection);
    if (objections.size === 0) {
      return {
        treeBefore: before.tree,
        tree: after.tree,
        filesChanged: changes.length,
        putBack: [...putBack].map(([path, objection]) => ({ path: toShown(path), ...objection })),
      };
    }
    await putAllBack(open, before, [...objections.keys()]);
  }
  throw new Fault("internal", "what a command changed outside its scope could not be put back", {
    remedy: "something outside the sandbox writes into the workspace at the same time; look for it",
  });
}

function refusedByTree({ refused }: RawTaken): Map<RawPath, Objection> {
  return new Map(refused.map(({ path, rule = "workspace", reason }) => [path, { rule, source: "sheaf", reason }]));
}

/** What changed from one taken tree of a workspace to a later one. */
function changesBetween(before: RawTaken, after: RawTaken): Change[] {
  const earlier = new Map(before.touched.map((change) => [change.path, change]));
  const later = new Map(after.touched.map((change) => [change.path, change]));
  const changes: Change[] = [];
  for (const path of new Set([...earlier.keys(), ...later.keys()])) {
    const [was, is] = [earlier.get(path), later.get(path)];
    const from = was ? was.after : (is?.before ?? null);
    const to = is ? is.after : (was?.before ?? null);
    if (from?.mode !== to?.mode || from?.oid !== to?.oid) changes.push({ path, before: from, after: to });
  }
  return changes;
}

/** First all that must not be there goes, the deepest first; then what was there comes back. */
async function putAllBack(open: OpenWorkspace, before: RawTaken, paths: readonly RawPath[]): Promise<void> {
  const deepestFirst = [...paths].sort((a, b) => b.length - a.length);
  for (const path of deepestFirst) await removeAt(open.root, path);
  for (const [path, version] of versionsAt(open, before, paths)) await bringBack(open, path, version);
  for (const path of deepestFirst) await removeEmptyAbove(open.root, path);
}

async function removeAt(root: string, path: RawPath): Promise<void> {
  for (const step of withAncestors(parentOf(path))) if (step !== "" && !(await isFolder(root, step))) return;
  await removeEntry(inside(root, path));
}

/** What stood at these paths and below them. A file that was withheld stays away, and is not taken for deleted. */
function versionsAt(open: OpenWorkspace, before: RawTaken, paths: readonly RawPath[]): Map<RawPath, Version> {
  const wanted = new Set(paths);
  const isWanted = (path: RawPath) => [...withAncestors(path)].some((step) => wanted.has(step));
  const versions = new Map<RawPath, Version>();
  for (const [path, entry] of open.listing.entries) if (isWanted(path)) versions.set(path, entry);
  for (const { path, after } of before.touched) {
    if (after) versions.set(path, after);
    else versions.delete(path);
    if (!isWanted(path)) versions.delete(path);
  }
  for (const path of versions.keys()) {
    if (!open.withheld.has(path)) continue;
    versions.delete(path);
    open.held.delete(path);
  }
  return versions;
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
