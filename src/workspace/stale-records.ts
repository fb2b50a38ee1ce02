import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Removes what our repositories below `store` remember of checkouts that are gone, as a killed process leaves it. For
 * whoever is alone in the data folder.
 */
export async function removeStaleRecords(store: string): Promise<void> {
  for (const name of await namesIn(store)) {
    const gitDir = join(store, name);
    for (const draft of await namesIn(gitDir)) if (draft.startsWith("checkout-")) await remove(join(gitDir, draft));
    const records = join(gitDir, "worktrees");
    for (const record of await namesIn(records)) {
      const pointer = await readFile(join(records, record, "gitdir"), "utf8").catch(() => undefined);
      if (pointer === undefined || !(await isThere(pointer.trimEnd()))) await remove(join(records, record));
    }
  }
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/** The checkout, as its `.git`: a workspace that is left keeps its record, so that git can be asked there. */
function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
