import { Buffer, isUtf8 } from "node:buffer";
import { setImmediate as nextTick } from "node:timers/promises";
import type { ProgramView } from "./program-recipe.ts";

/**
 * The repository's files as the compiler is shown them: by path, as text, without waiting. It holds no text for longer
 * than it is asked for, and never looks anywhere but into the run's own view.
 */
export interface RepositoryFiles {
  paths: readonly string[];
  has(path: string): boolean;
  hasFolder(path: string): boolean;
  /** Files and folders directly below; "" is the root. */
  entries(folder: string): { files: readonly string[]; directories: readonly string[] };
  bytes(path: string): Uint8Array | undefined;
  /** Another text of the same path has another version. */
  version(path: string): string;
  /** The text of a file, a byte order mark included; undefined for what is no text. */
  text(path: string): string | undefined;
  /** Tells the watch over threads that work goes on; for calls that take seconds. */
  alive(): void;
  /** Lets the event loop turn; throws the signal's reason when the run was stopped. */
  breathe(): Promise<void>;
}

/** Larger ones are data or bundles; the compiler would hold the thread for long. */
const mostBytes = 4 * 1024 * 1024;

/** Brings in what is not at hand and what the compiler may ask for: sources and settings. */
export async function loadRepositoryFiles(view: ProgramView): Promise<RepositoryFiles | { refused: string }> {
  const { paths, isComplete } = await view.list();
  if (!isComplete)
    return { refused: `the repository has more files than can be looked at (${paths.length} were named)` };
  const brought = new Map<string, Uint8Array>();
  for (const path of paths) {
    if (!isAskedFor(path) || view.peek(path)) continue;
    const file = await view.read(path);
    if (!("refused" in file)) brought.set(path, file.bytes);
  }
  view.signal.throwIfAborted();
  return repositoryFiles(paths, (path) => view.peek(path) ?? brought.get(path), view);
}

/** The same files as they are to be; undefined for one that is to go. */
export function withChanges(
  files: RepositoryFiles,
  changes: ReadonlyMap<string, Uint8Array | undefined>,
  view: Pick<ProgramView, "alive" | "signal">,
): RepositoryFiles {
  const kept = files.paths.filter((path) => !changes.has(path));
  const made = [...changes].flatMap(([path, bytes]) => (bytes ? [path] : []));
  const changed = repositoryFiles([...kept, ...made].sort(), (path) => changes.get(path) ?? files.bytes(path), view);
  return { ...changed, version: (path) => (changes.has(path) ? `${files.version(path)}+` : files.version(path)) };
}

function repositoryFiles(
  paths: readonly string[],
  read: (path: string) => Uint8Array | undefined,
  view: Pick<ProgramView, "alive" | "signal">,
): RepositoryFiles {
  const folders = foldersOf(paths);
  const known = new Set(paths);
  const bytes = (path: string) => {
    const found = known.has(path) ? read(path) : undefined;
    return found && found.length <= mostBytes ? found : undefined;
  };
  return {
    paths,
    has: (path) => known.has(path),
    hasFolder: (path) => folders.has(path),
    entries: (folder) => folders.get(folder) ?? { files: [], directories: [] },
    bytes,
    version: () => "1",
    text: (path) => {
      const found = bytes(path);
      return found && !found.includes(0) && isUtf8(found) ? Buffer.from(found).toString("utf8") : undefined;
    },
    alive: () => view.alive(),
    async breathe() {
      view.alive();
      await nextTick();
      view.signal.throwIfAborted();
    },
  };
}

/** What a compiler reads to understand others. Packages that were committed too come only as far as they declare. */
function isAskedFor(path: string): boolean {
  if (isInstalled(path)) return /\.d\.[cm]?ts$|(?:^|\/)package\.json$/.test(path);
  return /\.(?:[cm]?[jt]s|[jt]sx|json)$/.test(path);
}

export function isInstalled(path: string): boolean {
  return /(?:^|\/)node_modules\//.test(path);
}

/** "" for what lies at the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

interface Folder {
  files: string[];
  directories: string[];
}

function foldersOf(paths: readonly string[]): Map<string, Folder> {
  const folders = new Map<string, Folder>([["", { files: [], directories: [] }]]);
  const folderAt = (path: string): Folder => {
    const known = folders.get(path);
    if (known) return known;
    const made: Folder = { files: [], directories: [] };
    folders.set(path, made);
    folderAt(folderOf(path)).directories.push(path.slice(path.lastIndexOf("/") + 1));
    return made;
  };
  for (const path of paths) folderAt(folderOf(path)).files.push(path.slice(path.lastIndexOf("/") + 1));
  return folders;
}
