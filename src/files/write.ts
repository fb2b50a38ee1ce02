import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parentOf, seeAt } from "./look.ts";

/** A file as it shall be. `path` is canonical. */
export interface FileWrite {
  path: string;
  content: Uint8Array;
  /** Of a new file; one that is there keeps its mode. */
  isExecutable?: boolean;
}

export interface WrittenFile {
  path: string;
  isExecutable: boolean;
  isNew: boolean;
}

/** What stands in the way, before anything was changed. */
export type WriteOutcome = { written: readonly WrittenFile[] } | { refused: string };

/**
 * Writes many files or none. All content goes to `scratch` first, which is where a full disk shows; then each file is
 * renamed into its place, and when one cannot be, those before it get their old content back and the error is thrown.
 * An existing file keeps its mode. Nothing is ever written through a link: a rename replaces the name itself.
 */
export function writeAllFiles(
  files: readonly FileWrite[],
  places: { root: string; scratch: string; stamp: () => string },
): WriteOutcome {
  const refused = findClash(files) ?? findObstacle(files, places.root);
  if (refused !== undefined) return { refused };
  const work: Work = { ...places, staged: [], undo: [], leftover: new Set() };
  try {
    for (const file of files) stage(work, file);
    for (const file of work.staged) put(work, file);
  } catch (thrown) {
    rollBack(work);
    throw thrown;
  } finally {
    for (const path of work.leftover) rmSync(path, { force: true });
  }
  return { written: work.staged.map(writtenFile) };
}

interface Staged {
  path: string;
  temporary: string;
  /** Of the file that is replaced; undefined for a new one. */
  mode: number | undefined;
  isExecutable: boolean;
}

interface Work {
  root: string;
  scratch: string;
  stamp: () => string;
  staged: Staged[];
  undo: (() => void)[];
  /** What stands in `scratch`. */
  leftover: Set<string>;
}

function writtenFile({ path, mode, isExecutable }: Staged): WrittenFile {
  return { path, isExecutable, isNew: mode === undefined };
}

/** Two writes of one call that cannot both be. */
function findClash(files: readonly FileWrite[]): string | undefined {
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) return `${JSON.stringify(path)} is named twice`;
    paths.add(path);
  }
  for (const { path } of files) {
    for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
      if (paths.has(parent))
        return `${JSON.stringify(parent)} cannot be a file and the directory of ${JSON.stringify(path)}`;
    }
  }
  return undefined;
}

function findObstacle(files: readonly FileWrite[], root: string): string | undefined {
  const sound = new Set<string>([""]);
  for (const { path } of files) {
    const { kind } = path === "" ? { kind: "directory" } : seeAt(join(root, path));
    if (kind !== "file" && kind !== "missing") return `${JSON.stringify(path)} cannot be written: it is a ${kind}`;
    const blocked = findBlockedParent(parentOf(path), root, sound);
    if (blocked !== undefined) return `${JSON.stringify(path)} cannot be written: ${blocked}`;
  }
  return undefined;
}

function findBlockedParent(parent: string, root: string, sound: Set<string>): string | undefined {
  const chain: string[] = [];
  for (let each = parent; !sound.has(each); each = parentOf(each)) chain.unshift(each);
  for (const each of chain) {
    const { kind } = seeAt(join(root, each));
    if (kind === "missing") break;
    if (kind !== "directory") return `${JSON.stringify(each)} is a ${kind}, not a directory`;
    sound.add(each);
  }
  return undefined;
}

function stage(work: Work, file: FileWrite): void {
  const temporary = join(work.scratch, `write-${work.stamp()}`);
  const mode = lstatSync(join(work.root, file.path), { throwIfNoEntry: false })?.mode;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const isExecutable = mode === undefined ? file.isExecutable === true : (mode & 0o100) !== 0;
  const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, isExecutable ? 0o777 : 0o666);
  work.leftover.add(temporary);
  work.staged.push({ path: file.path, temporary, mode, isExecutable });
  try {
    let written = 0;
    while (written < file.content.length) written += writeSync(descriptor, file.content, written);
    if (mode !== undefined) fchmodSync(descriptor, mode & 0o7777);
  } finally {
    closeSync(descriptor);
  }
}

function put(work: Work, file: Staged): void {
  const target = join(work.root, file.path);
  makeParents(work, parentOf(file.path));
  // Nothing can fail behind the last one: it is there or it is not, and what it replaces need not be kept.
  const undo = file === work.staged.at(-1) ? undefined : undoing(work, file, target);
  renameSync(file.temporary, target);
  work.leftover.delete(file.temporary);
  if (undo) work.undo.push(undo);
}

function undoing(work: Work, file: Staged, target: string): () => void {
  if (file.mode === undefined) return () => rmSync(target, { force: true });
  const old = join(work.scratch, `old-${work.stamp()}`);
  work.leftover.add(old);
  keepOld(target, old);
  return () => renameSync(old, target);
}

/** A hard link costs no space; where the file system has none, a copy. */
function keepOld(target: string, old: string): void {
  try {
    linkSync(target, old);
  } catch {
    copyFileSync(target, old, constants.COPYFILE_EXCL);
  }
}

function makeParents(work: Work, parent: string): void {
  if (parent === "") return;
  const absolute = join(work.root, parent);
  if (seeAt(absolute).kind === "directory") return;
  makeParents(work, parentOf(parent));
  mkdirSync(absolute);
  work.undo.push(() => rmdirSync(absolute));
}

/** Newest first. One step that fails does not keep the others from being undone. */
function rollBack(work: Work): void {
  for (const undo of work.undo.toReversed()) {
    try {
      undo();
    } catch {
      // The error that led here is the one to report; what could be put back has been.
    }
  }
}
