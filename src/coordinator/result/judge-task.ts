import type { Failure } from "../../protocol/failure.ts";
import type { Denial } from "../../protocol/result.ts";
import type { TaskState } from "../../protocol/task-state.ts";
import type { RunReport } from "../../protocol/thread.ts";

/**
 * What a task's runs amount to. Pure. The tree decides whether anything was delivered; what an agent says of itself
 * can make a task worse (it refused), never better.
 */
export interface TaskEvidence {
  /** One for each step that ran, in order. */
  reports: readonly RunReport[];
  denials: readonly Omit<Denial, "task">[];
  filesChanged: number;
  /** Why the final diff may not be admitted: a path outside the scope, a new submodule, a device. */
  notAdmitted?: { path: string; reason: string } | undefined;
  /** Files it wrote that git ignores: they are not taken. */
  ignored: readonly string[];
}

export interface TaskVerdict {
  state: TaskState;
  failure?: Failure;
}

export function judgeTask(evidence: TaskEvidence): TaskVerdict {
  const last = evidence.reports.at(-1);
  if (!last) return { state: "failed", failure: { code: "internal", message: "it never ran" } };
  const stopped = judgeStop(last);
  if (stopped) return stopped;
  const failure = last.failure ?? refusalOf(evidence.reports) ?? admissionFailure(evidence);
  const blocked = blockedBy(evidence.denials);
  if (blocked && (failure || evidence.filesChanged === 0)) return { state: "blocked", failure: blocked };
  if (failure) return { state: "failed", failure };
  const [ignored] = evidence.ignored;
  if (ignored !== undefined && evidence.filesChanged === 0) return { state: "failed", failure: allIgnored(ignored) };
  return { state: evidence.filesChanged === 0 ? "no_changes" : "succeeded" };
}

function judgeStop({ state, failure }: RunReport): TaskVerdict | undefined {
  if (failure && isLimit(failure)) return { state: "limit", failure };
  if (state === "cancelled") return { state: "cancelled", ...(failure ? { failure } : {}) };
  return undefined;
}

/** A run that ended for this came to a limit of its own or of the job. */
export function isLimit({ code }: Pick<Failure, "code">): boolean {
  return ["idle", "time", "turns", "tokens", "usd"].includes(code);
}

function refusalOf(reports: readonly RunReport[]): Failure | undefined {
  const refused = reports.flatMap((report) => report.submission?.refused ?? []).at(0);
  return refused === undefined ? undefined : { code: "refused", message: refused };
}

function admissionFailure({ notAdmitted }: TaskEvidence): Failure | undefined {
  return notAdmitted && { code: "not_admitted", message: `${notAdmitted.path}: ${notAdmitted.reason}` };
}

/** Work was done, and none of it can be handed over: that is not "nothing to do". */
function allIgnored(path: string): Failure {
  return {
    code: "ignored",
    message: `all it wrote is ignored by git, ${path} first`,
    remedy: "let it write elsewhere, or take the path out of .gitignore",
  };
}

function blockedBy(denials: TaskEvidence["denials"]): Failure | undefined {
  const [first] = denials;
  return first && { code: "denied", message: `${first.tool} ${first.input}: ${first.reason} (rule ${first.rule})` };
}
