import type { CommandCheck } from "../protocol/job.ts";
import type { CheckResult } from "../protocol/result.ts";

/**
 * What a check's two exit codes mean together. Pure. A failure that the base already had is blamed on nobody, and a
 * check that is red before and after proves nothing where only an exit code is known.
 */
export interface Observation {
  tree: string;
  exit: number | null;
  signal: string | null;
  isTimedOut: boolean;
  durationMs: number;
  tail: string;
}

/** Does judging need to know how the base does, given the result? */
export function needsBase(check: CommandCheck, after: Observation): boolean {
  if (check.expect === "fixed" || check.expect === "fewer") return isGreen(after);
  return check.expect === "no-new-failures" && !isGreen(after);
}

export function judgeCheck(check: CommandCheck, after: Observation, base: Observation | undefined): CheckResult {
  const { state, detail } = verdict(check, after, base);
  return {
    name: check.name,
    at: after.tree,
    state,
    duration_ms: Math.round(after.durationMs),
    new_failures: isGreen(after) ? 0 : base && isGreen(base) ? 1 : null,
    base_failures: base ? (isGreen(base) ? 0 : 1) : null,
    exit: after.exit,
    detail,
    ...(state === "passed" ? {} : { tail: after.tail }),
  };
}

function isGreen(seen: Observation): boolean {
  return seen.exit === 0 && !seen.isTimedOut;
}

type Verdict = { state: CheckResult["state"]; detail: string };

function verdict(check: CommandCheck, after: Observation, base: Observation | undefined): Verdict {
  switch (check.expect) {
    case "pass":
      return isGreen(after) ? { state: "passed", detail: "passes" } : { state: "failed", detail: ending(after) };
    case "no-new-failures":
      return againstBase(after, base);
    case "fixed":
    case "fewer":
      return mended(after, base);
  }
}

function againstBase(after: Observation, base: Observation | undefined): Verdict {
  if (isGreen(after)) return { state: "passed", detail: "passes" };
  if (base && !isGreen(base)) {
    return {
      state: "unverified",
      detail: `${ending(after)}, and ${ending(base)} at the base too: an exit code cannot tell whether anything new broke`,
    };
  }
  return { state: "failed", detail: `${ending(after)} on the merged tree, green at the base` };
}

function mended(after: Observation, base: Observation | undefined): Verdict {
  if (!isGreen(after)) return { state: "failed", detail: `${ending(after)}: still red` };
  if (base && isGreen(base)) return { state: "failed", detail: "green at the base already: there was nothing to fix" };
  return { state: "passed", detail: "red at the base, green now" };
}

function ending(seen: Observation): string {
  if (seen.isTimedOut) return `no end after ${Math.round(seen.durationMs / 100) / 10} s, killed`;
  if (seen.signal) return `killed by ${seen.signal}`;
  return `exit ${seen.exit}`;
}
