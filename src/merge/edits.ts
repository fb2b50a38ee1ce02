import { changesOfMany, type Version } from "../workspace/diff.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Edit, Entry } from "./ledger.ts";

/** What each pair of trees differs in, by one `git diff-tree` for all of them, as entries that compare by `===`. */
export async function editsOf(
  repository: Repository,
  pairs: readonly { from: string; to: string }[],
): Promise<Edit[][]> {
  const found = await changesOfMany(repository, pairs);
  return found.map((changes) =>
    changes.map(({ path, before, after }) => ({ path, before: entryOf(before), after: entryOf(after) })),
  );
}

function entryOf(version: Version | null): Entry {
  return version && `${version.mode} ${version.oid}`;
}
