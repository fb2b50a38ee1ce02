import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { SandboxOptions } from "./open-sandbox.ts";
import { isInSystem } from "./system-folders.ts";

/**
 * Which folders of tools outside the system a command may read: those on the operator's PATH and those the operator
 * named. A folder that holds more than tools (a home, keys, Sheaf's own data) is not shown for the sake of a program.
 */
export interface ToolFolders {
  folders: readonly Folder[];
  /** PATH as it is true inside. */
  path: string;
}

/** What is at `source` on this machine, without a link on the way, is seen at `place`. */
export interface Folder {
  source: string;
  place: string;
}

type Surroundings = Pick<SandboxOptions, "path" | "home" | "dataFolder" | "packageFolder" | "read">;

/** Throws Fault `configuration` for a folder of `read` that is not there or cannot be shown. */
export function toolFolders(options: Surroundings): ToolFolders {
  const named = options.read.map((folder) => readFolder(folder, options));
  const entries = pathEntries(options).map((entry) => pathEntry(entry, options));
  const folders = [...named, ...entries.flatMap(({ folder }) => folder ?? [])];
  const path = [...new Set(entries.flatMap(({ inside }) => inside ?? []))];
  return { folders: outermost(folders), path: (path.length > 0 ? path : systemPath).join(delimiter) };
}

const systemPath = ["/usr/local/bin", "/usr/bin", "/bin"];

/** Sheaf's own tools are taken off PATH, so that a check finds the versions its author would. */
export function pathEntries({ path, packageFolder }: Pick<Surroundings, "path" | "packageFolder">): string[] {
  const isOwn = (folder: string) => isWithin(resolve(folder), resolve(packageFolder)) || /node-gyp-bin$/.test(folder);
  return path.split(delimiter).filter((folder) => folder !== "" && !isOwn(folder));
}

function pathEntry(entry: string, options: Surroundings): { inside?: string; folder?: Folder } {
  const source = isAbsolute(entry) ? realFolder(entry) : undefined;
  if (source === undefined) return {};
  if (isInSystem(source)) return { inside: isInSystem(entry) ? entry : source };
  const place = resolve(entry);
  const folder = [installation(place), { source, place }].find((one) => one && mayBeShown(one, options));
  return folder ? { inside: place, folder } : {};
}

/** The whole of `X` for `X/bin` beside `X/lib`, as version managers unpack their tools. */
function installation(place: string): Folder | undefined {
  const around = dirname(place);
  const isUnpacked = /\/(bin|shims)$/.test(place) && ["lib", "libexec"].some((name) => existsSync(join(around, name)));
  const source = isUnpacked ? realFolder(around) : undefined;
  return source === undefined || depth(source) < 2 ? undefined : { source, place: around };
}

function mayBeShown({ source, place }: Folder, { home, dataFolder }: Surroundings): boolean {
  const kept = [home, join(home, ".local"), join(home, ".ssh"), dataFolder].map(
    (folder) => realFolder(folder) ?? folder,
  );
  const holdsMore = kept.some((folder) => isWithin(folder, source)) || existsSync(join(source, ".ssh"));
  return (
    !holdsMore &&
    !holdsSocket(source) &&
    !isWithin(source, realFolder(dataFolder) ?? dataFolder) &&
    !coversSystem(place) &&
    !coversSystem(source)
  );
}

function readFolder(place: string, { dataFolder }: Surroundings): Folder {
  const refuse = (why: string, remedy: string) =>
    new Fault("configuration", `sandbox.read names ${place}, ${why}`, { remedy });
  const source = realPath(place);
  if (source === undefined) throw refuse("which is not there", "create it, or take it out of sheaf.config.yaml");
  if (coversSystem(resolve(place)) || coversSystem(source)) {
    throw refuse("which would cover a part of the system", "name the folder of the tool itself");
  }
  if (isWithin(realFolder(dataFolder) ?? dataFolder, source)) {
    throw refuse("which holds Sheaf's own data", "name the folder of the tool itself");
  }
  if (holdsSocket(source)) {
    throw refuse("which holds a socket, and so a way to whoever listens there", "name a folder that holds tools alone");
  }
  return { source, place: resolve(place) };
}

/** A socket can be connected to where a file could only be read. Deeper ones are not looked for. */
function holdsSocket(folder: string): boolean {
  try {
    return readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isSocket());
  } catch {
    // A file, or one that only commands' account may look into.
    return statSync(folder).isSocket();
  }
}

/** Places that Sheaf furnishes, and folders that hold what belongs to many. Nothing is shown in their stead. */
export function coversSystem(place: string): boolean {
  return furnished.some((folder) => isWithin(folder, place)) || unshown.some((folder) => isWithin(place, folder));
}

const furnished = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib64",
  "/etc",
  "/tmp",
  "/home/sheaf",
  "/root",
  "/opt",
  "/var",
  "/run",
  "/srv",
  "/mnt",
];
const unshown = ["/proc", "/sys", "/dev", "/etc"];

/** The same folder twice, or one inside another that shows it at the same place, needs no place of its own. */
function outermost(folders: readonly Folder[]): Folder[] {
  const isShownBy = (inner: Folder, outer: Folder) =>
    isWithin(inner.place, outer.place) && join(outer.source, inner.place.slice(outer.place.length)) === inner.source;
  const sorted = folders.toSorted((a, b) => a.place.length - b.place.length);
  return sorted.filter((one, index) => !sorted.slice(0, index).some((other) => isShownBy(one, other)));
}

/** `path` is `folder` or lies below it; both absolute. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}

function depth(path: string): number {
  return path.split("/").length - 1;
}

export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function realFolder(path: string): string | undefined {
  const real = realPath(path);
  return real !== undefined && statSync(real).isDirectory() ? real : undefined;
}
