import { changesOfMany, type Version } from "../workspace/diff.ts";
import type { Repository } from "../workspace/repository.ts";
import type { TreeChange } from "../workspace/tree.ts";
import type { Edit, Entry } from "./group.ts";

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

/** The same edit as a change to write. */
export function toChange(edit: Edit): TreeChange {
  const [mode = null, oid = null] = edit.after?.split(" ") ?? [];
  return { path: edit.path, mode, oid };
}
