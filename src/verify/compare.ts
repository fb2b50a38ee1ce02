import type { CheckResult } from "../protocol/result.ts";
import { type Blind, countOf, type Red, type Sight } from "./sight.ts";

/** A tree and its base, held against each other. Nothing here may turn green because more is wrong. */
export interface Verdict {
  state: CheckResult["state"];
  detail: string;
  /** What is new, or all that is wrong where nothing is known of the base. */
  failing?: string[];
}

/** Red only for what the base did not have. */
export function againstBase(now: Sight, before: Sight | undefined): Verdict {
  if (now.kind === "green") return { state: "passed", detail: "passes" };
  if (now.kind === "blind") return blindAgainst(now, before);
  if (!before || before.kind === "blind") {
    const unknown = before ? `at the base: ${before.why}` : "nothing is known of the base";
    return { state: "unverified", detail: `${now.words}, and ${unknown}`, failing: shownIn(now) };
  }
  if (before.kind === "green") {
    return {
      state: "failed",
      detail: `${now.words}, none at the base: ${firstOf(shownIn(now))}`,
      failing: shownIn(now),
    };
  }
  const fresh = newIn(now, before);
  if (fresh.length > 0) {
    const detail = `${countOf(fresh.length, now.what)} new since the base: ${firstOf(fresh)}`;
    return { state: "failed", detail, failing: fresh };
  }
  if (now.exit !== 0 && before.exit === 0) {
    const detail = `${now.words}, as at the base, but the command ends with exit ${now.exit}, which it did not there`;
    return { state: "failed", detail };
  }
  return { state: "passed", detail: `${now.words}, all of that at the base too` };
}

function blindAgainst(now: Blind, before: Sight | undefined): Verdict {
  if (before?.kind === "green") return { state: "failed", detail: `${now.why}; green at the base` };
  if (before?.kind === "blind") {
    const cannot = now.isByExit
      ? "an exit code cannot tell whether anything new broke"
      : "it cannot be told whether anything new broke";
    return { state: "unverified", detail: `${now.why}; at the base: ${before.why}: ${cannot}` };
  }
  if (before && now.isContradiction) {
    return { state: "unverified", detail: `${now.why}; at the base: ${before.words}` };
  }
  return { state: "failed", detail: before ? `${now.why}; at the base: ${before.words}` : now.why };
}

/** None left, and there was something to fix. */
export function fixed(now: Sight, before: Sight | undefined): Verdict {
  if (now.kind === "red") return { state: "failed", detail: `still red: ${now.words}`, failing: shownIn(now) };
  if (now.kind === "blind") return { state: "failed", detail: now.isByExit ? `${now.why}: still red` : now.why };
  if (before?.kind === "green") {
    return { state: "failed", detail: "green at the base already: there was nothing to fix" };
  }
  const was = before?.kind === "red" ? before.words : "red";
  return { state: "passed", detail: `${was} at the base, green now` };
}

/**
 * Strictly less than at the base. When something new fails, what failed at the base and is no longer heard of counts
 * as failing still: a file that cannot be loaded any more has fewer failing tests, and is no improvement.
 */
export function fewer(now: Sight, before: Sight | undefined): Verdict {
  if (now.kind !== "red") return fixed(now, before);
  if (!before || before.kind === "blind") {
    const unknown = before ? `at the base: ${before.why}` : "nothing is known of the base";
    return {
      state: "unverified",
      detail: `${now.words}, and ${unknown}: it cannot be counted down`,
      failing: shownIn(now),
    };
  }
  if (before.kind === "green") {
    return { state: "failed", detail: `${now.words}, none at the base`, failing: shownIn(now) };
  }
  const fresh = newIn(now, before);
  const silent = fresh.length > 0 && now.what === "test" ? silentOf(now, before) : 0;
  const were = `${before.total} at the base`;
  if (now.total + silent < before.total) return { state: "passed", detail: `${now.words}, ${were}` };
  const lost = silent > 0 ? `, and ${silent} of the tests that failed there did not run` : "";
  return {
    state: "failed",
    detail: `${now.words}, ${were}${lost}: not fewer`,
    ...(fresh.length > 0 ? { failing: fresh } : {}),
  };
}

function silentOf(now: Red, before: Red): number {
  let silent = 0;
  for (const [name, { count }] of before.failing) if (!now.failing.has(name) && !now.passed.has(name)) silent += count;
  return silent;
}

/** One for each failure that the base has not, or has less often. */
function newIn(now: Red, before: Red): string[] {
  return [...now.failing].flatMap(([name, { count, shown }]) =>
    Array.from({ length: Math.max(0, count - (before.failing.get(name)?.count ?? 0)) }, () => shown),
  );
}

function shownIn(now: Red): string[] {
  return [...now.failing.values()].map((one) => one.shown);
}

const mostNamed = 3;

function firstOf(names: readonly string[]): string {
  const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : "";
  return (
    names
      .slice(0, mostNamed)
      .map((name) => (name.length > 160 ? `${name.slice(0, 160)}...` : name))
      .join(", ") + more
  );
}
