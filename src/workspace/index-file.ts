import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Repository } from "./repository.ts";
import type { TreeEntry } from "./tree-listing.ts";

/**
 * An index of a few files, written without git: format version 2 (gitformat-index), nothing known of any file on the
 * disk, so that git looks at each. It is for reading a tree out, never for taking one in.
 */
export function indexFile(entries: readonly TreeEntry[], format: "sha1" | "sha256"): Buffer {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const header = Buffer.alloc(12);
  header.write("DIRC", "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(sorted.length, 8);
  const body = Buffer.concat([header, ...sorted.map(record)]);
  return Buffer.concat([body, createHash(format).update(body).digest()]);
}

/** One of a whole tree, of our own, so that no command can tell git what to overlook. */
export async function writeIndex(repository: Repository, tree: string, file: string): Promise<void> {
  const { entries } = await repository.listings.get(tree);
  await writeFile(file, indexFile([...entries.values()], repository.objectFormat));
}

/** Where the mode is among the ten words of stat data, and how many bytes these take. */
const modeAt = 24;
const statBytes = 40;
const longestNamed = 0xfff;

function record({ path, mode, oid }: TreeEntry): Buffer {
  const oidBytes = oid.length / 2;
  const nameAt = statBytes + oidBytes + 2;
  // One to eight NUL end a name, so that the next record begins at a multiple of eight.
  const bytes = Buffer.alloc((nameAt + path.length + 8) & ~7);
  bytes.writeUInt32BE(Number.parseInt(mode, 8), modeAt);
  bytes.write(oid, statBytes, "hex");
  bytes.writeUInt16BE(Math.min(path.length, longestNamed), statBytes + oidBytes);
  bytes.write(path, nameAt, "latin1");
  return bytes;
}
