import type { Observation } from "./judge-check.ts";
import type { Failing, Report } from "./report.ts";

/**
 * What a run of a command shows of a tree: nothing wrong, named failures, or nothing that can be relied on. The exit
 * code and the report must agree; where they do not, the worse of them holds.
 */
export type Sight = Green | Red | Blind;
type Green = { kind: "green" };
export type Red = {
  kind: "red";
  failing: ReadonlyMap<string, Failing>;
  passed: ReadonlySet<string>;
  total: number;
  what: "test" | "finding";
  exit: number | null;
  /** "3 tests fail", "1 finding". */
  words: string;
};
export type Blind = {
  kind: "blind";
  /** For a person: "exit 1", "the report is missing". */
  why: string;
  /** The command said by its exit code that something is wrong, and its report that nothing is. */
  isContradiction: boolean;
  /** Only an exit code is known, and so it is one failure, whatever it may be. */
  isByExit: boolean;
};

export function sightOf(seen: Observation): Sight {
  const { report } = seen;
  if (report === undefined) return isClean(seen) ? { kind: "green" } : blind(endingOf(seen), { isByExit: true });
  if (seen.exit === null || seen.isTimedOut) return blind(endingOf(seen));
  if ("unreadable" in report) return blind(`${endingOf(seen)}, and its report cannot be read: ${report.unreadable}`);
  if (report.incomplete) return blind(`its report is not complete: ${report.incomplete} (${endingOf(seen)})`);
  return readSight(seen, seen.exit, report);
}

function readSight(seen: Observation, exit: number, { what, failing, passed, looked }: Report): Sight {
  const total = count(failing);
  // 126 and up: not found, not executable, or killed. Some test runners exit with the number of failures.
  if (exit >= 126 && exit !== total) return blind(endingOf(seen));
  if (total > 0) return { kind: "red", failing, passed, total, what, exit, words: countOf(total, what) };
  if (exit !== 0) return blind(`${endingOf(seen)}, though its report names no failure`, { isContradiction: true });
  if (looked !== 0) return { kind: "green" };
  return blind(`its report is empty: no ${what === "test" ? "test ran" : "file was looked at"}`);
}

function isClean(seen: Observation): boolean {
  return seen.exit === 0 && !seen.isTimedOut;
}

function blind(why: string, more: Partial<Blind> = {}): Blind {
  return { kind: "blind", why, isContradiction: false, isByExit: false, ...more };
}

function count(failing: ReadonlyMap<string, Failing>): number {
  return [...failing.values()].reduce((sum, one) => sum + one.count, 0);
}

/** How the command itself ended, for a person. */
export function endingOf(seen: Observation): string {
  if (seen.isTimedOut) return `no end after ${Math.round(seen.durationMs / 100) / 10} s, killed`;
  if (seen.signal) return `killed by ${seen.signal}`;
  return `exit ${seen.exit}`;
}

export function countOf(total: number, what: "test" | "finding"): string {
  if (what === "test") return total === 1 ? "1 test fails" : `${total} tests fail`;
  return total === 1 ? "1 finding" : `${total} findings`;
}

/** How many failures are known; null where that cannot be said. */
export function totalOf(sight: Sight): number | null {
  if (sight.kind === "green") return 0;
  if (sight.kind === "red") return sight.total;
  return sight.isByExit ? 1 : null;
}
