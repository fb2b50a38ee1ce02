import type { RawPath } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import type { TreeEntry } from "./tree-listing.ts";

/**
 * Writes files of a tree into a folder through a small index that knows only these: bytes as they are in the blobs.
 * Git makes every step of the way itself and never writes through a symlink.
 */
export async function putEntries(
  target: { repository: Repository; root: string; indexFile: string; held: Set<RawPath> },
  entries: readonly TreeEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const { repository, root, indexFile } = target;
  const where = { gitDir: repository.gitDir, workTree: root, indexFile, cwd: root };
  const lines = entries.map(({ mode, oid, path }) => `${mode} ${oid}\t${path}\0`);
  await repository.git(["update-index", "-z", "--index-info"], { ...where, input: bytesOf(lines) });
  const paths = entries.map(({ path }) => `${path}\0`);
  await repository.git(["checkout-index", "--quiet", "-u", "-z", "--stdin"], { ...where, input: bytesOf(paths) });
  for (const { path } of entries) target.held.add(path);
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join(""), "latin1");
}
