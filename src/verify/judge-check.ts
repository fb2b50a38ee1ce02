import type { CommandCheck } from "../protocol/check.ts";
import type { CheckResult } from "../protocol/result.ts";
import { againstBase, fewer, fixed, type Verdict } from "./compare.ts";
import type { Reading } from "./report.ts";
import { endingOf, type Sight, sightOf, totalOf } from "./sight.ts";

/**
 * What a check came to, given what was seen on the tree and, where the answer depends on it, at the base. Pure. A
 * failure that the base already had is blamed on nobody; what says nothing, or two things, is never green.
 */
export interface Observation {
  tree: string;
  exit: number | null;
  signal: string | null;
  isTimedOut: boolean;
  durationMs: number;
  tail: string;
  /** Absent where only the exit code speaks. */
  report?: Reading;
  /** What is to be said of its being run more than once. */
  remark?: string;
}

/** Does judging need to know how the base does, given the result? */
export function needsBase(check: CommandCheck, after: Observation): boolean {
  const { kind } = sightOf(after);
  switch (check.expect) {
    case "pass":
      return false;
    case "no-new-failures":
      return kind !== "green";
    case "fixed":
      return kind === "green";
    case "fewer":
      return kind === "green" || (kind === "red" && after.report !== undefined);
  }
}

export function judgeCheck(check: CommandCheck, after: Observation, base: Observation | undefined): CheckResult {
  const now = sightOf(after);
  const before = base && sightOf(base);
  const { state, detail, failing = [] } = verdict(check, after, { now, before });
  return {
    name: check.name,
    at: after.tree,
    state,
    duration_ms: Math.round(after.durationMs),
    new_failures: newFailures(after, now, before),
    base_failures: before ? totalOf(before) : null,
    ...(failing.length > 0 ? { failing: failing.slice(0, mostShown).map(clipped) } : {}),
    exit: after.exit,
    detail: after.remark ? `${detail}; ${after.remark}` : detail,
    ...(state === "passed" ? {} : { tail: after.tail }),
  };
}

const mostShown = 20;
const longestShown = 300;

function clipped(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}...` : text;
}

type Sights = { now: Sight; before: Sight | undefined };

function verdict(check: CommandCheck, after: Observation, { now, before }: Sights): Verdict {
  switch (check.expect) {
    case "pass":
      return passes(after, now);
    case "no-new-failures":
      return againstBase(now, before);
    case "fixed":
      return fixed(now, before);
    case "fewer":
      return fewer(now, before);
  }
}

function passes(after: Observation, now: Sight): Verdict {
  if (now.kind === "green") return { state: "passed", detail: "passes" };
  if (now.kind === "blind") return { state: "failed", detail: now.why };
  const shown = [...now.failing.values()].map((one) => one.shown);
  return { state: "failed", detail: `${now.words} (${endingOf(after)})`, failing: shown };
}

/** null where the number is not known. */
function newFailures(after: Observation, now: Sight, before: Sight | undefined): number | null {
  if (now.kind === "green") return 0;
  if (after.report === undefined) return before?.kind === "green" ? 1 : null;
  if (now.kind !== "red" || !before || before.kind === "blind") return null;
  const known = before.kind === "red" ? before.failing : new Map<string, { count: number }>();
  let count = 0;
  for (const [name, one] of now.failing) count += Math.max(0, one.count - (known.get(name)?.count ?? 0));
  return count;
}
