import { nothingSpent, type Spent } from "../../budget/job-budget.ts";
import type { Leftover } from "../../protocol/claim.ts";
import { exitOf, type Outcome, strongest } from "../../protocol/outcome.ts";
import type { CheckResult, Denial, Reason, Result, TaskResult } from "../../protocol/result.ts";
import type { Unsplit } from "../../protocol/task.ts";
import type { Job, JobStopped } from "../job.ts";
import type { Landing } from "../landing/landing.ts";
import type { Planning } from "../plan/planning.ts";
import type { FinishedTask } from "./finished-task.ts";
import { resultUsage } from "./result-usage.ts";

/** What a job came to, as one document. Pure: exactly one outcome, and never a green one for work that was not done. */
export interface Ending {
  job: Pick<Job, "id" | "handle" | "spec" | "startedAt"> & { span: { traceId: string } };
  tasks: readonly FinishedTask[];
  unsplit: readonly Unsplit[];
  landing: Landing;
  /** All that its model calls took; absent: there were none. */
  spent?: Spent | undefined;
  /** What a planner took, and the plan that came of it. */
  planning?: Planning | undefined;
  published?: Result["published"] | undefined;
  /** Why the job failed although no task and no check of the landing says so: its setup, or its publishing. */
  failure?: Reason | undefined;
  /** Checks that ran once more where the result was to be published. */
  rechecks?: readonly CheckResult[] | undefined;
  /** Set when the job was cancelled or ran out of time. */
  stopped?: Pick<JobStopped, "outcome" | "failure" | "signal">;
  /** Set when Sheaf itself failed. */
  error?: { reason: Reason; exit: number };
  /** Patch files of work that did not land, by task id. */
  patches: ReadonlyMap<string, string>;
  lines: ReadonlyMap<string, { insertions: number; deletions: number }>;
  endedAt: number;
}

export function composeResult(ending: Ending): Result {
  const { job, landing, tasks } = ending;
  const { spec } = job;
  const plan = ending.planning?.shown;
  const held = holding(ending);
  const outcome = strongest(held.map(([name]) => name));
  const reason = held.find(([name, why]) => name === outcome && why)?.[1];
  const limit = held.find(([name]) => name === "limit")?.[1]?.code;
  const published = ending.published;
  return {
    schema: "sheaf.result/v1",
    job: { id: job.id, handle: job.handle, name: spec.name },
    outcome,
    exit_code: exitOf(outcome, {
      ...(ending.error ? { faultExit: ending.error.exit } : {}),
      ...(ending.stopped?.signal ? { signal: ending.stopped.signal } : {}),
    }),
    ...(reason ? { reason } : {}),
    base_commit: spec.base.commit,
    result_commit: landing.commit,
    result_tree: landing.tree,
    ...(published ? { published } : {}),
    ...(plan ? { plan } : {}),
    tasks: tasks.map((task) => taskResult(task, ending)),
    ...(ending.unsplit.length > 0 ? { unsplit: [...ending.unsplit] } : {}),
    checks: [...tasks.flatMap((task) => task.checks), ...landing.checks, ...(ending.rechecks ?? [])],
    denials: tasks.flatMap(denialsOf),
    ...(limit ? { limit } : {}),
    usage: resultUsage(ending.spent ?? nothingSpent),
    trace_id: job.span.traceId,
    started_at: new Date(job.startedAt).toISOString(),
    ended_at: new Date(ending.endedAt).toISOString(),
    next: nextSteps(outcome, job.handle, { hasResult: landing.commit !== null, isPublished: published !== undefined }),
  };
}

/** Every outcome that holds, each with its reason where there is one. */
function holding(ending: Ending): [Outcome, Reason?][] {
  const { landing, tasks } = ending;
  const held: [Outcome, Reason?][] = [];
  if (ending.error) held.push(["error", ending.error.reason]);
  if (ending.stopped) held.push([ending.stopped.outcome, ending.stopped.failure]);
  if (ending.failure) held.push(["failed", ending.failure]);
  for (const task of tasks) held.push(...holdingOf(task, landing), ...doubtsOf(task));
  for (const check of [...landing.checks, ...(ending.rechecks ?? [])]) held.push(...holdingOfCheck(check));
  // Its plan is all that was asked for.
  if (ending.job.spec.is_plan_only) return held;
  const hasWork = tasks.some((task) => task.state === "succeeded");
  if (!hasWork) held.push(["no_changes"]);
  if (hasWork && landing.landed.size === 0 && !held.some(([name]) => name === "failed" || name === "unverified")) {
    held.push(["failed", { code: "nothing_landed", message: "no task's work could be landed" }]);
  }
  return held;
}

function holdingOf(task: FinishedTask, landing: Landing): [Outcome, Reason?][] {
  const why: Reason = { ...(task.failure ?? { code: task.state, message: task.state }), task: task.id };
  const others = landing.landed.size > 0;
  switch (task.state) {
    case "blocked":
      return [["blocked", why]];
    case "limit":
      return [["limit", why]];
    case "cancelled":
      return [["cancelled", why]];
    case "failed":
      return [[others ? "partial" : "failed", why]];
    case "succeeded": {
      const leftOut = landing.leftOut.get(task.id);
      return leftOut ? [[others ? "partial" : "failed", leftOut]] : [];
    }
    case "no_changes":
      return [];
  }
}

/** A red check of its own has failed the task already; one that proves nothing leaves a task that delivered in doubt. */
function doubtsOf({ state, checks }: FinishedTask): [Outcome, Reason?][] {
  const doubtful = state === "succeeded" ? checks.filter((check) => check.state === "unverified") : [];
  return doubtful.flatMap(holdingOfCheck);
}

function holdingOfCheck(check: CheckResult): [Outcome, Reason?][] {
  if (check.state !== "failed" && check.state !== "unverified") return [];
  const message = `check ${JSON.stringify(check.name)}: ${check.detail ?? check.state}`;
  const why: Reason = {
    code: `check_${check.state}`,
    message,
    check: check.name,
    ...(check.task ? { task: check.task } : {}),
    ...(check.tail ? { log: check.tail } : {}),
  };
  return [[check.state, why]];
}

function taskResult(task: FinishedTask, { landing, patches, lines }: Ending): TaskResult {
  const leftovers = [...task.submissions.flatMap((submission) => submission.leftovers ?? []), ...notTaken(task)];
  const summary = task.submissions.at(-1)?.summary;
  const patch = patches.get(task.id);
  const why = task.failure ?? landing.leftOut.get(task.id);
  return {
    id: task.id,
    title: task.title,
    state: task.state,
    landed: landing.landed.has(task.id),
    reused: task.reused !== undefined,
    ...(task.reused ? { reused_from: task.reused } : {}),
    attempts: task.attempts,
    files_changed: task.filesChanged,
    insertions: lines.get(task.id)?.insertions ?? 0,
    deletions: lines.get(task.id)?.deletions ?? 0,
    ...(patch ? { patch_file: patch } : {}),
    ...(task.commit ? { commit: task.commit } : {}),
    ...(why ? { reason: { ...why, task: task.id } } : {}),
    ...(leftovers.length > 0 ? { leftovers } : {}),
    ...(summary ? { summary } : {}),
    ...(task.spent === nothingSpent ? {} : { usage: resultUsage(task.spent) }),
  };
}

function notTaken({ ignored }: FinishedTask): Leftover[] {
  return ignored.map((path) => ({
    path,
    line: 1,
    column: 1,
    text: "",
    reason: "written, and not taken: git ignores it",
  }));
}

function denialsOf(task: FinishedTask): Denial[] {
  return task.denials.map((denial) => ({ task: task.id, ...denial }));
}

function nextSteps(
  outcome: Outcome,
  handle: string,
  { hasResult, isPublished }: { hasResult: boolean; isPublished: boolean },
): Result["next"] {
  const next = [{ command: `sheaf show ${handle}`, why: "who did what" }];
  if (hasResult) next.push({ command: `sheaf diff ${handle}`, why: "read the change" });
  if (hasResult && !isPublished) next.push({ command: `sheaf apply ${handle}`, why: "take it home" });
  if (!hasResult && outcome !== "no_changes") {
    next.push({ command: `sheaf logs ${handle}`, why: "what happened, event by event" });
  }
  return next;
}
