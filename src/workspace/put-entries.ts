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
  const lines = entries.map(({ mode, oid, path }) => `${mode} ${oid}\t${path}\0`);
  await repository.git(["update-index", "-z", "--index-info"], { ...where, input: bytesOf(lines) });
  const how = through ? [`--prefix=${through.prefix}`] : ["-u"];
  const paths = entries.map(({ path }) => `${path}\0`);
  const args = [...(through?.flags ?? []), "checkout-index", "--quiet", ...how, "-z", "--stdin"];
  await repository.git(args, { ...where, input: bytesOf(paths) });
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join(""), "latin1");
}
