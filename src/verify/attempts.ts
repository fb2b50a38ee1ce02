import type { Observation } from "./judge-check.ts";
import type { Failing } from "./report.ts";
import { sightOf } from "./sight.ts";

/**
 * Several runs of one command as one observation. A run that is green settles it; otherwise only what failed in every
 * run is held against the tree, and where that is nothing, the last run speaks.
 */
export function allAttempts(attempts: readonly Observation[]): Observation {
  const last = attempts.at(-1);
  if (!last) throw new RangeError("no attempt was made");
  if (attempts.length === 1) return last;
  const durationMs = attempts.reduce((sum, one) => sum + one.durationMs, 0);
  const isGreen = sightOf(last).kind === "green";
  const remark = isGreen
    ? `red at first, green at attempt ${attempts.length}`
    : `red in all ${attempts.length} attempts`;
  return { ...last, durationMs, remark, ...(isGreen ? {} : alwaysFailing(attempts, last)) };
}

function alwaysFailing(attempts: readonly Observation[], last: Observation): Pick<Observation, "report" | "remark"> {
  const sights = attempts.map(sightOf);
  const reds = sights.flatMap((sight) => (sight.kind === "red" ? [sight] : []));
  if (reds.length < attempts.length || !last.report || "unreadable" in last.report) return {};
  const failing = reds.map((red) => red.failing).reduce(inBoth);
  if (failing.size === 0) return {};
  const flaky = last.report.failing.size - failing.size;
  const remark = `red in all ${attempts.length} attempts${flaky > 0 ? `, ${flaky} more only in some` : ""}`;
  return { report: { ...last.report, failing }, remark };
}

function inBoth(one: ReadonlyMap<string, Failing>, other: ReadonlyMap<string, Failing>): ReadonlyMap<string, Failing> {
  const both = new Map<string, Failing>();
  for (const [name, { count, shown }] of one) {
    const again = other.get(name);
    if (again) both.set(name, { count: Math.min(count, again.count), shown });
  }
  return both;
}
