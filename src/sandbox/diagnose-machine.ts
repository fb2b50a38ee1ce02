import { existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What a diagnosis may look at, and nothing more: it reads files and changes nothing. */
export interface Machine {
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** The text of a file, without white space around it; undefined where it cannot be read. */
  read(path: string): string | undefined;
  isThere(path: string): boolean;
  /** The file runs as its owner, whoever starts it. */
  isSetuid(path: string): boolean;
  /** Absolute path of a program on the operator's PATH. */
  find(program: string): string | undefined;
}

/** `root` stands for `/`: a folder tree with its own proc, sys and etc is a machine of its own. */
export function machineAt(options: {
  root: string;
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** The operator's PATH, of this machine. */
  path: string;
}): Machine {
  const at = (path: string) => join(options.root, path);
  const folders = options.path.split(delimiter).filter((folder) => folder.startsWith("/"));
  return {
    platform: options.platform,
    isRoot: options.isRoot,
    read: (path) => orNothing(() => readFileSync(at(path), "utf8").trim()),
    isThere: (path) => existsSync(at(path)),
    isSetuid: (path) => orNothing(() => (statSync(at(path)).mode & setuidBit) !== 0) ?? false,
    find: (program) => folders.map((folder) => join(folder, program)).find((file) => isProgram(at(file))),
  };
}

/** The bit S_ISUID of inode(7), which Node does not name. */
const setuidBit = 0o4000;

function isProgram(file: string): boolean {
  const found = orNothing(() => statSync(file));
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
