import type { Change, Version } from "./diff.ts";
import type { RawPath } from "./raw-path.ts";

/** Changes made one after another, as one: what `changesOf` says between the first tree and the last, by path. */
export function composeChanges(steps: readonly (readonly Change[])[]): Change[] {
  const composed = new Map<RawPath, Change>();
  for (const change of steps.flat()) {
    const earlier = composed.get(change.path);
    composed.set(change.path, earlier ? { ...change, before: earlier.before } : change);
  }
  const changes = [...composed.values()].filter(({ before, after }) => !isSame(before, after));
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isSame(before: Version | null, after: Version | null): boolean {
  return before?.mode === after?.mode && before?.oid === after?.oid;
}
