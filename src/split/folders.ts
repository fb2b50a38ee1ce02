import type { PathPattern } from "../protocol/scope.ts";

/** The folder a path is in; "" is the repository. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function basenameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A folder as people write it. */
export function shownFolder(folder: string): string {
  return folder === "" ? "." : folder;
}

/**
 * The write set of each group: whole folders where all files of a folder are of one group (so that new files may come
 * into them), and single files elsewhere. No two groups ever share a path. `groupOf` is asked for every file there is.
 */
export function writesOfGroups(
  files: readonly string[],
  groupOf: (path: string) => string,
): ReadonlyMap<string, PathPattern[]> {
  const owners = ownersOfFolders(files, groupOf);
  const found = new Map<string, { directories: Set<string>; files: string[] }>();
  for (const path of files) {
    const group = groupOf(path);
    const own = found.get(group) ?? { directories: new Set(), files: [] };
    found.set(group, own);
    const whole = foldersAbove(path).find((folder) => owners.get(folder) === group);
    if (whole === undefined) own.files.push(path);
    else own.directories.add(whole);
  }
  return new Map([...found].map(([group, own]) => [group, patternsOf(own)]));
}

function ownersOfFolders(files: readonly string[], groupOf: (path: string) => string) {
  const owners = new Map<string, string | typeof mixed>();
  for (const path of files) {
    const group = groupOf(path);
    for (const folder of foldersAbove(path)) {
      const known = owners.get(folder);
      if (known !== group) owners.set(folder, known === undefined ? group : mixed);
    }
  }
  return owners;
}

const mixed = Symbol("of several groups");

/** From the repository down. */
function foldersAbove(path: string): string[] {
  const names = path.split("/");
  return names.map((_, index) => names.slice(0, index).join("/"));
}

function patternsOf({ directories, files }: { directories: ReadonlySet<string>; files: string[] }): PathPattern[] {
  return [
    ...(directories.size > 0 ? [{ directories: [...directories] }] : []),
    ...(files.length > 0 ? [{ files }] : []),
  ];
}
