import type { Decision } from "../protocol/scope.ts";
import type { Change } from "../workspace/diff.ts";
import { toShown, toText } from "../workspace/raw-path.ts";

/**
 * Whether a finished task's tree may be merged at all: its diff is checked against its scope once more, whatever the
 * tools said on the way. An agent's tree is never trimmed to what is allowed: one path too many and nothing is taken.
 */
export type Admission =
  | { admitted: true }
  /** The first path at fault, for a person; `rule` and `source` as in a decision; `others` more are at fault. */
  | { admitted: false; path: string; reason: string; rule: string; source: string; others: number };

/** `decide` answers whether the task may edit a path (repository-relative text). */
export function admit(touched: readonly Change[], decide: (path: string) => Decision): Admission {
  const refusals = touched.flatMap((change) => refusalOf(change, decide) ?? []);
  const [first] = refusals;
  return first ? { admitted: false, ...first, others: refusals.length - 1 } : { admitted: true };
}

/**
 * What a command may keep of what it changed. An agent is told no at each path it tries, so one too many makes its tree
 * doubtful; a command writes where it will, and is parted from what it had no right to.
 */
export function sift(touched: readonly Change[], decide: (path: string) => Decision) {
  const allowed: Change[] = [];
  const refused: Refusal[] = [];
  for (const change of touched) {
    const refusal = refusalOf(change, decide);
    if (refusal) refused.push(refusal);
    else allowed.push(change);
  }
  return { allowed, refused };
}

export type Refusal = Omit<Extract<Admission, { admitted: false }>, "admitted" | "others">;

function refusalOf(change: Change, decide: (path: string) => Decision): Refusal | undefined {
  const path = toText(change.path);
  const shown = toShown(change.path);
  if (path === undefined) return ours(shown, "not UTF-8", "its name is not UTF-8, so no rule can speak of it");
  if (isSubmodule(change)) return ours(shown, "submodule", submoduleReason(change));
  const decision = decide(path);
  if (decision.effect === "allow") return undefined;
  return { path: shown, reason: decision.reason, rule: decision.rule, source: decision.source };
}

function ours(path: string, rule: string, reason: string): Refusal {
  return { path, reason, rule, source: "merge" };
}

function isSubmodule(change: Change): boolean {
  return change.before?.mode === gitlink || change.after?.mode === gitlink;
}

function submoduleReason(change: Change): string {
  if (change.before?.mode !== gitlink) return "a task may not add a submodule, or a repository inside the repository";
  return change.after?.mode === gitlink ? "a task may not move a submodule" : "a task may not remove a submodule";
}

const gitlink = "160000";
