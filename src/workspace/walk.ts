import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { joinRaw, type RawPath, rawOf, toBytes } from "./raw-path.ts";

/** What is on the disk below a folder, by bytes and by kind. The walk follows no link and opens no file. */
export interface Found {
  files: RawPath[];
  links: RawPath[];
  refused: Refused[];
}

export interface Refused {
  path: RawPath;
  /** Where it is another than that of all workspaces. */
  rule?: "secret";
  reason: string;
}

/** What is in `without` is passed over, with all below it. */
export async function walk(root: string, without: ReadonlySet<RawPath> = new Set()): Promise<Found> {
  const found: Found = { files: [], links: [], refused: [] };
  const pending: RawPath[] = [rawOf("")];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const at = Buffer.concat([Buffer.from(`${root}/`), toBytes(directory)]);
    for (const entry of await namesIn(at, directory, found)) {
      const path = joinRaw(directory, entry.name.toString("latin1"));
      if (!without.has(path)) sort(entry, path, { found, pending });
    }
  }
  return found;
}

/** A command may take the right to look away, even from its own folder. */
async function namesIn(at: Buffer, directory: RawPath, { refused }: Found): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(at, { withFileTypes: true, encoding: "buffer" });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EACCES" && directory !== "")) throw cause;
    refused.push({ path: directory, reason: "unreadable" });
    return [];
  }
}

function sort(entry: Dirent<Buffer>, path: RawPath, into: { found: Found; pending: RawPath[] }): void {
  const reason = reasonAgainst(entry);
  if (reason) into.found.refused.push({ path, reason });
  else if (entry.isDirectory()) into.pending.push(path);
  else (entry.isFile() ? into.found.files : into.found.links).push(path);
}

/** Why no tree takes such an entry, whatever it holds. */
export function reasonAgainst(entry: Dirent<Buffer>): string | undefined {
  if (isGitDirectory(entry.name.toString("latin1"))) return "a git directory of its own";
  const isOurs = entry.isFile() || entry.isDirectory() || entry.isSymbolicLink();
  return isOurs ? undefined : "neither a file nor a directory nor a link";
}

/** Names that some git, on some disk, would take for its own directory. */
export function isGitDirectory(name: string): boolean {
  return /^(\.git|git~1)[ .]*(:.*)?$/i.test(name);
}
