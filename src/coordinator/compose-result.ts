import type { Leftover } from "../protocol/claim.ts";
import type { JobSpec } from "../protocol/job.ts";
import { noUsage, type Usage } from "../protocol/message.ts";
import { exitOf, type Outcome, strongest } from "../protocol/outcome.ts";
import type { CheckResult, Denial, Reason, Result, TaskResult } from "../protocol/result.ts";
import type { FinishedTask } from "./run-task.ts";

/** What a job came to, as one document. Pure: exactly one outcome, and never a green one for work that was not done. */
export interface Ending {
  job: { id: string; handle: string };
  spec: JobSpec;
  tasks: readonly FinishedTask[];
  landing: Landing;
  /** Set when the job was cancelled or ran out of time. */
  stopped?: { outcome: "cancelled" | "limit"; reason: Reason; signal?: "SIGINT" | "SIGTERM" };
  /** Set when Sheaf itself failed. */
  error?: { reason: Reason; exit: number };
  traceId: string;
  startedAt: number;
  endedAt: number;
}

export interface Landing {
  tree: string | null;
  commit: string | null;
  /** Task ids that are in the tree. */
  landed: ReadonlySet<string>;
  leftOut: ReadonlyMap<string, Reason>;
  checks: readonly CheckResult[];
  published?: Result["published"];
  publishFailure?: Reason;
  /** Patch files kept, by task id. */
  patches: ReadonlyMap<string, string>;
  lines: ReadonlyMap<string, { insertions: number; deletions: number }>;
  unsplit: readonly { path: string; reason: string }[];
}

export const nothingLanded: Landing = {
  tree: null,
  commit: null,
  landed: new Set(),
  leftOut: new Map(),
  checks: [],
  patches: new Map(),
  lines: new Map(),
  unsplit: [],
};

export function composeResult(ending: Ending): Result {
  const { job, spec, landing, tasks } = ending;
  const held = holding(ending);
  const outcome = strongest(held.map(([name]) => name));
  const reason = held.find(([name, why]) => name === outcome && why)?.[1];
  const limit = held.find(([name]) => name === "limit")?.[1]?.code;
  return {
    schema: "sheaf.result/v1",
    job: { ...job, name: spec.name },
    outcome,
    exit_code: exitOf(outcome, {
      ...(ending.error ? { faultExit: ending.error.exit } : {}),
      ...(ending.stopped?.signal ? { signal: ending.stopped.signal } : {}),
    }),
    ...(reason ? { reason } : {}),
    base_commit: spec.base.commit,
    result_commit: landing.commit,
    result_tree: landing.tree,
    ...(landing.published ? { published: landing.published } : {}),
    tasks: tasks.map((task) => taskResult(task, landing)),
    ...(landing.unsplit.length > 0 ? { unsplit: [...landing.unsplit] } : {}),
    checks: [...landing.checks],
    denials: tasks.flatMap(denialsOf),
    ...(limit ? { limit } : {}),
    usage: { ...tasks.reduce((sum, task) => add(sum, task.usage), noUsage), cost_usd: 0, cost_known: true },
    trace_id: ending.traceId,
    started_at: new Date(ending.startedAt).toISOString(),
    ended_at: new Date(ending.endedAt).toISOString(),
    next: nextSteps(outcome, job.handle, landing),
  };
}

/** Every outcome that holds, each with its reason where there is one. */
function holding(ending: Ending): [Outcome, Reason?][] {
  const { landing, tasks } = ending;
  const held: [Outcome, Reason?][] = [];
  if (ending.error) held.push(["error", ending.error.reason]);
  if (landing.publishFailure) held.push(["error", landing.publishFailure]);
  if (ending.stopped) held.push([ending.stopped.outcome, ending.stopped.reason]);
  for (const task of tasks) held.push(...holdingOf(task, landing));
  for (const check of landing.checks) held.push(...holdingOfCheck(check));
  if (landing.unsplit.length > 0) held.push(["partial", unsplitReason(landing.unsplit)]);
  const hasWork = tasks.some((task) => task.state === "succeeded");
  if (!hasWork) held.push(landing.unsplit.length > 0 ? ["failed", unsplitReason(landing.unsplit)] : ["no_changes"]);
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

function holdingOfCheck(check: CheckResult): [Outcome, Reason?][] {
  if (check.state !== "failed" && check.state !== "unverified") return [];
  const message = `check ${JSON.stringify(check.name)}: ${check.detail ?? check.state}`;
  const why: Reason = { code: `check_${check.state}`, message, check: check.name, ...(check.tail ? { log: check.tail } : {}) };
  return [[check.state, why]];
}

function unsplitReason(unsplit: Landing["unsplit"]): Reason {
  const [first] = unsplit;
  const more = unsplit.length > 1 ? ` and ${unsplit.length - 1} more` : "";
  return { code: "unsplit", message: `not handed to any task: ${first?.path} (${first?.reason})${more}` };
}

function taskResult(task: FinishedTask, landing: Landing): TaskResult {
  const leftovers: Leftover[] = task.submissions.flatMap((submission) => submission.leftovers ?? []);
  const summary = task.submissions.at(-1)?.summary;
  const patch = landing.patches.get(task.id);
  const why = task.failure ?? landing.leftOut.get(task.id);
  return {
    id: task.id,
    title: task.title,
    state: task.state,
    landed: landing.landed.has(task.id),
    reused: false,
    attempts: task.attempts,
    files_changed: task.filesChanged,
    ...(landing.lines.get(task.id) ?? { insertions: 0, deletions: 0 }),
    ...(patch ? { patch_file: patch } : {}),
    ...(task.commit ? { commit: task.commit } : {}),
    ...(why ? { reason: { ...why, task: task.id } } : {}),
    ...(leftovers.length > 0 ? { leftovers } : {}),
    ...(summary ? { summary } : {}),
  };
}

function denialsOf(task: FinishedTask): Denial[] {
  return task.denials.map((denial) => ({ task: task.id, ...denial }));
}

function add(left: Usage, right: Usage): Usage {
  return {
    input_tokens: left.input_tokens + right.input_tokens,
    output_tokens: left.output_tokens + right.output_tokens,
    cache_read_tokens: left.cache_read_tokens + right.cache_read_tokens,
    cache_write_tokens: left.cache_write_tokens + right.cache_write_tokens,
  };
}

function nextSteps(outcome: Outcome, handle: string, landing: Landing): Result["next"] {
  const next = [{ command: `sheaf show ${handle}`, why: "who did what" }];
  if (landing.commit) {
    next.push({ command: `sheaf diff ${handle}`, why: "read the change" });
    if (!landing.published) next.push({ command: `sheaf apply ${handle}`, why: "take it home" });
  } else if (outcome !== "no_changes") {
    next.push({ command: `sheaf logs ${handle}`, why: "what happened, event by event" });
  }
  return next;
}
