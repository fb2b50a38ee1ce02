import { Fault } from "../protocol/failure.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { indexOf, openIndex } from "./file-index.ts";
import type { Part, SplitView } from "./split-view.ts";

/**
 * Refuses two tasks that may edit the same file and are not ordered: they would race for it. A file that is not there
 * yet counts where both name it. Throws Fault `job_file`.
 */
export function refuseOverlaps(parts: readonly Claimant[], view: SplitView): void {
  for (const { path, first, second } of overlapsIn(parts, view)) throw overlap(path, [first, second]);
}

export type Claimant = Pick<Part, "id" | "writes" | "needs">;

/** The same as data. Parts come after what they need. `reached`: paths that nobody names and that count all the same. */
export function* overlapsIn(
  parts: readonly Claimant[],
  view: SplitView,
  reached: (pattern: PathPattern) => readonly string[] = () => [],
): Generator<{ path: string; first: string; second: string }> {
  const there = new Set(view.files);
  const named = new Set(parts.flatMap((part) => part.writes.flatMap(namedPaths)));
  const missing = [...named].filter((path) => !there.has(path)).sort();
  const indexes = [indexOf(view), openIndex({ ...view, files: missing })];
  const isOrdered = orderOf(parts);
  const lastOf = new Map<string, number>();
  for (const [at, { id, writes }] of parts.entries()) {
    const covered = (pattern: PathPattern) => [
      ...indexes.flatMap((index) => index.covered(pattern)),
      ...reached(pattern),
    ];
    for (const path of writes.flatMap(covered)) {
      // A file's claimants are in a line when each is after the one before it.
      const last = lastOf.get(path) ?? at;
      const first = parts[last]?.id;
      if (last !== at && first && !isOrdered(last, at)) yield { path, first, second: id };
      lastOf.set(path, at);
    }
  }
}

/** Paths that a pattern names, whether they are there or not: a glob without a wildcard is one. */
function namedPaths(pattern: PathPattern): readonly string[] {
  if ("files" in pattern) return pattern.files;
  if (!("glob" in pattern) || /[*?[\\]/.test(pattern.glob) || !pattern.glob.includes("/")) return [];
  return [pattern.glob.replace(/^\//, "").replace(/\/$/, "")];
}

function overlap(path: string, [first, second]: readonly string[]): Fault {
  return new Fault("job_file", `${JSON.stringify(path)} may be edited by both ${first} and ${second}`, {
    remedy: "make the write sets disjoint, or let one of the tasks need the other",
  });
}

/** Whether the later of two parts needs the earlier one, whatever is in between. One bit for each pair. */
function orderOf(parts: readonly Claimant[]): (earlier: number, later: number) => boolean {
  const places = new Map<string, number>(parts.map((part, at) => [part.id, at]));
  const needed: Uint32Array[] = [];
  for (const [at, { needs = [] }] of parts.entries()) {
    const bits = new Uint32Array((at >>> 5) + 1);
    for (const need of needs) {
      const place = places.get(need);
      if (place === undefined || place >= at) continue;
      bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
      needed[place]?.forEach((word, index) => {
        bits[index] = (bits[index] ?? 0) | word;
      });
    }
    needed.push(bits);
  }
  return (earlier, later) => (((needed[later]?.[earlier >>> 5] ?? 0) >>> (earlier & 31)) & 1) === 1;
}
