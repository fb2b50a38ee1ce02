import ts from "@typescript/typescript6";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { folderOf, type RepositoryFiles } from "./program-files.ts";
import type { PackageLinks } from "./program-packages.ts";

/**
 * The file system that the compiler sees: the repository below `/tree`, TypeScript's own declarations below `/lib`, and
 * nothing else. It never reads the disk for the repository, and knows no folder above it.
 */
export interface ProgramTree extends ts.ParseConfigHost, ts.ModuleResolutionHost {
  readonly files: RepositoryFiles;
  readonly links: PackageLinks;
  useCaseSensitiveFileNames: true;
  directoryExists(path: string): boolean;
  getDirectories(path: string): string[];
  realpath(path: string): string;
  getCurrentDirectory(): string;
  readDirectory(
    root: string,
    extensions?: readonly string[],
    excludes?: readonly string[],
    includes?: readonly string[],
    depth?: number,
  ): string[];
}

const top = "/tree";
export const libraryFolder = "/lib";

/** A repository path as the compiler knows it. */
export function toAbsolute(path: string): string {
  return path === "" ? top : `${top}/${path}`;
}

/** The repository path of what the compiler names; undefined outside. */
export function toRepository(absolute: string): string | undefined {
  if (absolute === top) return "";
  return absolute.startsWith(`${top}/`) ? absolute.slice(top.length + 1) : undefined;
}

export function programTree(files: RepositoryFiles, links: PackageLinks): ProgramTree {
  const inside = (path: string): string | undefined => {
    const plain = toRepository(path.endsWith("/") && path !== "/" ? path.slice(0, -1) : path);
    return plain === undefined ? undefined : links.follow(plain);
  };
  const fileExists = (path: string) => {
    const at = inside(path);
    return at === undefined ? readLibrary(path) !== undefined : files.has(at);
  };
  const entriesOf = (folder: string) => files.entries(inside(folder) ?? "\0");
  return {
    files,
    links,
    useCaseSensitiveFileNames: true,
    fileExists,
    readFile(path) {
      const at = inside(path);
      return at === undefined ? readLibrary(path) : files.text(at);
    },
    directoryExists(path) {
      const at = inside(path);
      return at === undefined ? path === "/" || path === libraryFolder : files.hasFolder(at) || links.isFolder(at);
    },
    getDirectories: (path) => [...entriesOf(path).directories],
    realpath(path) {
      const at = inside(path);
      return at === undefined ? path : toAbsolute(at);
    },
    getCurrentDirectory: () => top,
    readDirectory: (root, extensions, excludes, includes, depth) =>
      matchFiles([root, extensions, excludes, includes, true, top, depth, entriesOf, (path: string) => path]),
  };
}

/**
 * TypeScript's own reading of `include` and `exclude`. It is not in its declarations, so what comes back is checked.
 */
function matchFiles(args: readonly unknown[]): string[] {
  const match: unknown = Reflect.get(ts, "matchFiles");
  if (typeof match !== "function") throw new Fault("internal", "this TypeScript does not say how it matches files");
  return z.array(z.string()).parse(match(...args));
}

const read = new Map<string, string | undefined>();

/** One of the declarations that TypeScript ships, read once in a thread through its own package. */
function readLibrary(path: string): string | undefined {
  const name = path.slice(libraryFolder.length + 1);
  if (folderOf(path) !== libraryFolder || !/^lib\.[a-z0-9.]*d\.ts$/.test(name)) return undefined;
  if (!read.has(name)) read.set(name, ts.sys.readFile(`${folderOf(ts.getDefaultLibFilePath({}))}/${name}`));
  return read.get(name);
}
