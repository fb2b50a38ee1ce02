import { Fault } from "../protocol/failure.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { openIndex } from "./file-index.ts";
import type { Part, SplitView } from "./split-view.ts";

/**
 * Refuses two tasks that may edit the same file and are not ordered: they would race for it. A file that is not there
 * yet counts where both name it. Throws Fault `job_file`.
 */
export function refuseOverlaps(parts: readonly Part[], view: SplitView): void {
  const isOrdered = orderOf(parts);
  for (const [path, ids] of claimsOf(parts, view)) refusePair(path, ids, isOrdered);
}

/** Who may edit each path. */
function claimsOf(parts: readonly Part[], view: SplitView): ReadonlyMap<string, readonly string[]> {
  const there = new Set(view.files);
  const named = new Set(parts.flatMap((part) => part.writes.flatMap(namedPaths)));
  const missing = [...named].filter((path) => !there.has(path)).sort();
  const indexes = [openIndex(view), openIndex({ ...view, files: missing })];
  const claims = new Map<string, string[]>();
  for (const { id, writes } of parts) {
    for (const path of writes.flatMap((pattern) => indexes.flatMap((index) => index.covered(pattern)))) {
      const known = claims.get(path) ?? [];
      if (known.at(-1) !== id) claims.set(path, [...known, id]);
    }
  }
  return claims;
}

/** Paths that a pattern names, whether they are there or not: a glob without a wildcard is one. */
function namedPaths(pattern: PathPattern): readonly string[] {
  if ("files" in pattern) return pattern.files;
  if (!("glob" in pattern) || /[*?[\\]/.test(pattern.glob) || !pattern.glob.includes("/")) return [];
  return [pattern.glob.replace(/^\//, "").replace(/\/$/, "")];
}

function refusePair(path: string, ids: readonly string[], isOrdered: (one: string, other: string) => boolean): void {
  for (const [index, first] of ids.entries()) {
    const second = ids.slice(index + 1).find((other) => !isOrdered(first, other));
    if (second === undefined) continue;
    throw new Fault("job_file", `${JSON.stringify(path)} may be edited by both ${first} and ${second}`, {
      remedy: "make the write sets disjoint, or let one of the tasks need the other",
    });
  }
}

/** Whether one of two tasks comes after the other, whatever is in between. */
function orderOf(parts: readonly Part[]): (one: string, other: string) => boolean {
  const needs = new Map<string, readonly string[]>(parts.map((part) => [part.id, part.needs ?? []]));
  const closures = new Map<string, ReadonlySet<string>>();
  const closureOf = (id: string) => {
    const known = closures.get(id);
    if (known) return known;
    const found = new Set<string>();
    const pending = [...(needs.get(id) ?? [])];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      pending.push(...(needs.get(next) ?? []));
    }
    closures.set(id, found);
    return found;
  };
  return (one, other) => closureOf(one).has(other) || closureOf(other).has(one);
}
