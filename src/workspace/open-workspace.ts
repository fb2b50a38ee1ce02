import { type Looks, lookAt } from "./looks.ts";
import { isForDirectWriting, putDirectly } from "./put-directly.ts";
import { putEntries } from "./put-entries.ts";
import type { RawPath } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import type { Listing, TreeEntry } from "./tree-listing.ts";

/** A workspace and what is known of it. What changes that runs one after another. */
export interface OpenWorkspace {
  repository: Repository;
  listing: Listing;
  root: string;
  /** For the index that git brings files out by. */
  indexFile: string;
  looks: Looks;
  /** Base paths that are, or were, in the workspace: there the workspace is the truth. */
  held: Set<RawPath>;
  /** Base paths that stay out of a whole checkout, as nobody in there may read them. */
  withheld: Set<RawPath>;
  /** What tools were told to write; a file of these that git ignores is kept or told. */
  edited?: Set<RawPath>;
  /** What no object is made of. */
  isSecret?: ((text: string | Buffer) => boolean) | undefined;
}

/** Writes files of the base; what stands there stays. */
export async function put(open: OpenWorkspace, entries: readonly TreeEntry[]): Promise<void> {
  const isDirect = await isForDirectWriting(open.repository, entries);
  await (isDirect ? putDirectly(open, entries) : putEntries(open, entries));
  for (const { path } of entries) open.held.add(path);
}

/** How the files look that are known to be the base's: nobody else has the workspace yet. */
export async function learn({ root, looks, listing }: OpenWorkspace, entries: readonly TreeEntry[]): Promise<void> {
  const tick = await looks.tick();
  const paths = entries.map(({ path }) => path);
  await lookAt(root, paths, (path, stats) => {
    const version = listing.entries.get(path);
    if (version) looks.learn(path, stats, { version, tick });
  });
}
