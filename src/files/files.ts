import type { Fetched } from "../protocol/thread.ts";
import { type BaseReader, openBaseView } from "./base-view.ts";
import { type Contained, contain, containSync, type Escape, isEscape } from "./contain.ts";
import { type Listed, listDirectory, type WalkChoice, walkDirectory } from "./list.ts";
import { type Look, openLook } from "./look.ts";
import { type ReadOutcome, readRegular, tooLarge } from "./read.ts";
import { removeFile } from "./remove.ts";
import { type FileWrite, type WriteOutcome, writeAllFiles } from "./write.ts";

/**
 * The files of one run: its workspace, and behind it the base. It keeps every access inside the root, and knows
 * nothing of permissions: whoever asks has had the canonical path decided.
 */
export interface Files {
  /** Where these paths lead, in workspace and base, seen at one moment. Never throws for what a path holds. */
  resolveAll(
    requested: readonly string[],
    options?: { followsLast?: boolean },
  ): Promise<readonly (Contained | Escape)[]>;
  /** The same in the workspace alone, without waiting. */
  peek(requested: string): Contained | Escape;
  /** From here on paths are canonical, as `resolveAll` gives them. These throw what the disk throws. */
  read(path: string, mostBytes: number): Promise<ReadOutcome>;
  writeAll(files: readonly FileWrite[]): Promise<WriteOutcome>;
  /** `mode` is the git mode of what is gone. */
  remove(path: string): Promise<{ mode: string } | { refused: string }>;
  list(directory: string): Promise<Listed>;
  walk(directory: string, choice: WalkChoice): Promise<Listed>;
}

export interface FilesOptions {
  /** Absolute and canonical. */
  root: string;
  /** Absolute, on the same file system, outside the root. */
  scratch: string;
  base: BaseReader;
  isCaseInsensitive: boolean;
}

export function openFiles(options: FilesOptions): Files {
  const { root, scratch, isCaseInsensitive } = options;
  const base = openBaseView(options.base, { isCaseInsensitive });
  let stamps = 0;
  const places = { root, scratch, stamp: () => `${++stamps}` };
  const isHere = (path: string) => openLook(root, { isCaseInsensitive: false })(path).kind !== "missing";

  /** Callers hand in canonical paths; one that is not would lead through a link, and is refused. */
  const strayed = (path: string) => {
    const look = openLook(root, { isCaseInsensitive: false });
    const found = path === "" ? undefined : containSync(path, look, { root, followsLast: false });
    if (!found || (!isEscape(found) && found.canonical === path)) return undefined;
    return { refused: `${JSON.stringify(path)} leads through a symlink` };
  };

  /** Undefined for what the workspace holds. */
  const bringIn = async (path: string): Promise<Fetched | undefined> => {
    if (path === "" || isHere(path)) return undefined;
    const seen = await base.look(path);
    return seen.kind === "missing" ? undefined : base.fetch(path, "materialise");
  };

  return {
    async resolveAll(requested, { followsLast = true } = {}) {
      const here = openLook(root, { isCaseInsensitive });
      const look = lookBehind(here, (path) => base.look(path));
      const resolved: (Contained | Escape)[] = [];
      for (const path of requested) resolved.push(await contain(path, look, { root, followsLast }));
      return resolved;
    },
    peek: (requested) => containSync(requested, openLook(root, { isCaseInsensitive }), { root }),
    async read(path, mostBytes) {
      const stray = strayed(path);
      if (stray) return stray;
      if (isHere(path)) return readRegular(root, path, mostBytes);
      return fromBase(path, await base.fetch(path, "read"), mostBytes);
    },
    async writeAll(files) {
      const brought = await Promise.all(files.map((file) => bringIn(file.path)));
      const clash = files.find((_, index) => !isWritable(brought[index]));
      if (clash) return { refused: `${JSON.stringify(clash.path)} cannot be written: it is no file in the base` };
      const outcome = writeAllFiles(files, places);
      if ("written" in outcome) for (const { path } of outcome.written) base.restore(path);
      return outcome;
    },
    async remove(path) {
      const stray = strayed(path);
      if (stray) return stray;
      await bringIn(path);
      const outcome = removeFile(root, path);
      if ("mode" in outcome) base.remove(path);
      return outcome;
    },
    list: (directory) => listDirectory(root, directory, base),
    walk: (directory, choice) => walkDirectory(root, directory, { base, choice }),
  };
}

/** The workspace first; what it lacks, the base. */
function lookBehind(here: Look, behind: (path: string) => Promise<ReturnType<Look>>) {
  return (path: string) => {
    const seen = here(path);
    return seen.kind === "missing" ? behind(path) : seen;
  };
}

function isWritable(fetched: Fetched | undefined): boolean {
  return fetched === undefined || fetched.found === "file" || fetched.found === "nothing";
}

function fromBase(path: string, fetched: Fetched, mostBytes: number): ReadOutcome {
  const shown = JSON.stringify(path);
  switch (fetched.found) {
    case "file":
      if (fetched.bytes.length > mostBytes) return { refused: tooLarge(path, fetched.bytes.length, mostBytes) };
      return { bytes: fetched.bytes, isExecutable: fetched.is_executable };
    case "too_large":
      return { refused: tooLarge(path, fetched.size, mostBytes) };
    case "directory":
      return { refused: `${shown} is a directory` };
    case "submodule":
      return { refused: `${shown} is a submodule, whose files are not part of this repository` };
    case "link":
      return { refused: `${shown} is a symlink, and only what it leads to is read` };
    case "nothing":
      return { refused: `${shown} does not exist` };
  }
}
