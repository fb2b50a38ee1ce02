import { Fault } from "../protocol/failure.ts";
import type { Fetched } from "../protocol/thread.ts";
import { type RawPath, rawOf, toText } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import { entriesBelow, type Listing } from "./tree-listing.ts";

/** Files of a tree that are not on the disk, for an agent that asks: by text names only, and never more than asked for. */
export async function fetchFrom(
  repository: Repository,
  listing: Listing,
  path: RawPath,
  maxBytes: number,
): Promise<Fetched> {
  const entry = listing.entries.get(path);
  if (!entry) return { found: listing.directories.has(path) ? "directory" : "nothing" };
  if (entry.mode === "160000") return { found: "submodule" };
  const known = await repository.objects.info(entry.oid);
  if (known && known.size > maxBytes) return { found: "too_large", size: known.size };
  const bytes = await repository.objects.read(entry.oid);
  if (!bytes) throw missing(repository, entry.oid);
  if (entry.mode === "120000") return { found: "link", target: bytes.toString("utf8") };
  return { found: "file", bytes: new Uint8Array(bytes), is_executable: entry.mode === "100755" };
}

/** The repository borrows the user's objects; one that is gone was pruned there. */
function missing(repository: Repository, oid: string): Fault {
  return new Fault("git", `object ${oid} is no longer in ${repository.user.top}`, {
    remedy: "it was pruned, or the repository is damaged: run `git fsck` there",
  });
}

export function namesBelow(
  listing: Listing,
  wanted: { prefix: RawPath; max: number; without: ReadonlySet<RawPath> },
): { names: string[]; isComplete: boolean } {
  const names: string[] = [];
  for (const entry of entriesBelow(listing, rawOf(wanted.prefix.replace(/\/+$/, "")))) {
    if (entry.mode === "160000" || wanted.without.has(entry.path)) continue;
    const name = toText(entry.path);
    if (name === undefined) continue;
    if (names.length === wanted.max) return { names, isComplete: false };
    names.push(name);
  }
  return { names, isComplete: true };
}
