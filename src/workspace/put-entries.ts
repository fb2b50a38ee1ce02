import { writeFile } from "node:fs/promises";
import { indexFile as indexOf } from "./index-file.ts";
import type { Repository } from "./repository.ts";
import type { TreeEntry } from "./tree-listing.ts";
import type { UserView } from "./user-view.ts";

/**
 * Writes files of a tree into a folder through a small index that knows only these. Without `through` the bytes are
 * those of the blobs; with it they are what the user's git would write, below `prefix`. Git makes every step of the
 * way itself and never writes through a symlink.
 */
export async function putEntries(
  target: { repository: Repository; root: string; indexFile: string; through?: UserView & { prefix: string } },
  entries: readonly TreeEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const { repository, root, indexFile, through } = target;
  const where = { ...(through?.where ?? { gitDir: repository.gitDir }), workTree: root, indexFile, cwd: root };
  await writeFile(indexFile, indexOf(entries, repository.objectFormat));
  const how = through ? [`--prefix=${through.prefix}`] : [];
  await repository.git([...(through?.flags ?? []), "checkout-index", "--quiet", "--all", ...how], where);
}
