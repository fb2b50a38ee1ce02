import { createHash } from "node:crypto";
import { parentOf, type RawPath, rawOf, toRaw, toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import type { Listing, TreeEntry } from "../../workspace/tree-listing.ts";

/**
 * What a repository says to agents in general: AGENTS.md and CLAUDE.md of one tree, as git has them. A link is followed
 * once, within that tree, and only to a file of these names; nothing outside it is read, no submodule, and no file that
 * is not text.
 */
export interface ContextFile {
  /** Where it lies in the tree. */
  path: string;
  /** What a link at `path` leads to: whoever may not read that may not read it here either. */
  behind?: string;
  /** At most `mostBytes` of it, whole characters. */
  text: string;
  /** Of all its bytes. */
  sha256: string;
  bytes: number;
  isCut: boolean;
}

const names = ["AGENTS.md", "CLAUDE.md"] as const;
/** Of one file; the rest can be read with a tool. */
export const mostBytes = 32_768;
/** What is larger is no text for anybody. */
const mostRead = 4 * 1024 * 1024;

/** Those right in `directory` ("" is the root), each text once. */
export async function contextFilesIn(directory: string, tree: string, repository: Repository): Promise<ContextFile[]> {
  const listing = await repository.listings.get(tree);
  const found: ContextFile[] = [];
  for (const name of names) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const entry = fileAt(path, listing);
    const file = entry && (await readContext(path, entry, { listing, repository }));
    if (file && !found.some(({ sha256 }) => sha256 === file.sha256)) found.push(file);
  }
  return found;
}

/** Directories below the root that have such files. */
export async function contextDirectories(tree: string, repository: Repository): Promise<ReadonlySet<string>> {
  const { entries } = await repository.listings.get(tree);
  const directories = new Set<string>();
  for (const path of entries.keys()) {
    if (!path.endsWith("/AGENTS.md") && !path.endsWith("/CLAUDE.md")) continue;
    const directory = toText(parentOf(path));
    if (directory !== undefined) directories.add(directory);
  }
  return directories;
}

function fileAt(path: string, { entries }: Listing): TreeEntry | undefined {
  const entry = entries.get(toRaw(path));
  return entry?.mode.startsWith("1") ? entry : undefined;
}

async function readContext(
  path: string,
  entry: TreeEntry,
  around: { listing: Listing; repository: Repository },
): Promise<ContextFile | undefined> {
  const { objects } = around.repository;
  const isLink = entry.mode === "120000";
  const file = isLink ? await behindLink(path, entry, around) : entry;
  if (!file?.mode.startsWith("100")) return undefined;
  const size = (await objects.info(file.oid))?.size;
  const bytes = size === undefined || size > mostRead ? undefined : await objects.read(file.oid);
  const text = bytes && textOf(bytes.subarray(0, mostBytes), bytes.length > mostBytes);
  if (bytes === undefined || text === undefined) return undefined;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const behind = isLink ? toText(file.path) : undefined;
  const at = { path, ...(behind === undefined ? {} : { behind }) };
  return { ...at, text, sha256, bytes: bytes.length, isCut: bytes.length > mostBytes };
}

/** Longest link that is looked at: PATH_MAX. */
const mostLink = 4_096;

/** What a link of the tree leads to within it; a link to a link leads nowhere. */
async function behindLink(
  path: string,
  link: TreeEntry,
  { listing, repository }: { listing: Listing; repository: Repository },
): Promise<TreeEntry | undefined> {
  const size = (await repository.objects.info(link.oid))?.size ?? 0;
  const target = size > mostLink ? undefined : await repository.objects.read(link.oid);
  const inside = target && pathFrom(parentOf(toRaw(path)), rawOf(target));
  const isNotes = names.some((name) => inside === name || inside?.endsWith(`/${name}`));
  return inside === undefined || !isNotes ? undefined : listing.entries.get(inside);
}

function pathFrom(directory: RawPath, target: RawPath): RawPath | undefined {
  if (target.startsWith("/")) return undefined;
  const parts = directory === "" ? [] : directory.split("/");
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return rawOf(parts.join("/"));
}

/** Undefined for what is no text. A cut may go through the last character, which is then left out. */
function textOf(bytes: Uint8Array, isCut: boolean): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}
