import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { Command } from "./driver.ts";
import { isInSystem } from "./system-folders.ts";
import { coversSystem, type Folder, isWithin, realPath } from "./tool-folders.ts";

/**
 * What of the machine one command sees besides the system: its tree, and read-only what it was given to read. Every path
 * is resolved before it is shown, and a link that a command left in its tree is never followed.
 */
export interface Shown {
  tree: Folder;
  folders: readonly Folder[];
  covers: readonly Folder[];
}

interface Sight {
  /** Folders of tools, which every command sees. */
  tools: readonly Folder[];
  /** Where the tree is seen. */
  place: string;
  /** Files that come with a network. */
  binds: readonly { from: string; to: string }[];
}

/** Throws Fault `configuration` for a tree that is not there, and for a folder that would cover another one. */
export function shownTo(
  { cwd, readable = [] }: Pick<Command, "cwd" | "readable">,
  { tools, place, binds }: Sight,
): Shown {
  const source = realPath(cwd);
  if (source === undefined || !lstatSync(source).isDirectory()) {
    throw new Fault("configuration", `a command was to run in ${cwd}, where no folder is`);
  }
  const tree = { source, place };
  const own = tools.filter((folder) => !isWithin(source, folder.source));
  const read = readable.flatMap((folder) => readableFolder(folder, tree));
  const files = binds.flatMap(({ from, to }) => ({ source: realPath(from) ?? from, place: to }));
  const folders = [...own, ...read, ...files].toSorted((a, b) => a.place.length - b.place.length);
  return { tree, folders: folders.filter(isFirstAtPlace), covers: gitOf(tree) };
}

/** One that is not there cannot be read: git, which asks for such folders, copes with that by itself. */
function readableFolder(written: string, tree: Folder): Folder[] {
  const place = resolve(written);
  const source = realPath(place);
  if (source === undefined || (isInSystem(place) && isInSystem(source))) return [];
  if (coversSystem(place) || coversSystem(source) || isWithin(place, tree.place) || isWithin(tree.place, place)) {
    throw new Fault(
      "configuration",
      `a command cannot be given ${written} to read: it would cover what Sheaf puts there`,
      {
        remedy: "keep the repository in a folder of its own below a home, /srv, /opt or /data",
      },
    );
  }
  return [{ source, place }];
}

/** What git keeps in the tree is the coordinator's; a link in its stead is the command's own affair, and leads nowhere. */
function gitOf({ source, place }: Folder): Folder[] {
  try {
    const kind = lstatSync(`${source}/.git`);
    const isGits = kind.isFile() || kind.isDirectory();
    return isGits ? [{ source: `${source}/.git`, place: `${place}/.git` }] : [];
  } catch {
    return [];
  }
}

function isFirstAtPlace({ place }: Folder, index: number, all: readonly Folder[]): boolean {
  return all.findIndex((other) => other.place === place) === index;
}
