import { admit } from "../merge/admit.ts";
import { decide } from "../permission/decide.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Scope } from "../protocol/scope.ts";
import type { Step } from "../protocol/step.ts";
import type { Task } from "../protocol/task.ts";
import { toolNames } from "../tools/catalog.ts";
import { composeChanges } from "../workspace/compose-changes.ts";
import type { Change } from "../workspace/diff.ts";
import { toShown } from "../workspace/raw-path.ts";
import { commitTree } from "../workspace/tree.ts";
import { earlierSteps } from "./brief/earlier-steps.ts";
import { runCommand } from "./commands/run-command.ts";
import type { Around } from "./commands/setup.ts";
import { followStep } from "./commands/setup-source.ts";
import type { Job } from "./job.ts";
import { objectionsToScripts } from "./landing/allowed-changes.ts";
import { checkTask } from "./landing/check-task.ts";
import { formatChanges } from "./landing/format-changes.ts";
import { type FinishedTask, recordFinished } from "./result/finished-task.ts";
import { judgeTask } from "./result/judge-task.ts";
import { lookForDone } from "./resume/reuse.ts";
import { stepBefore } from "./resume/step-before.ts";
import { withRoom } from "./room.ts";
import { runStep } from "./run-step.ts";
import { keepWork } from "./tasks/keep-work.ts";
import { scopeOf } from "./tasks/scope-of.ts";
import type { Start } from "./tasks/start-of.ts";
import type { FinishedRun, StepOrder } from "./tasks/step-order.ts";
import { runUntilItLives } from "./tasks/until-it-lives.ts";

/**
 * One task from its first step to a kept commit. Each step is a run; a thread that dies costs an attempt only to the
 * run that was alone in it. What an agent says about its work decides nothing here: the tree does, and its checks.
 */

export async function runTask(task: Task, start: Start, around: Around): Promise<FinishedTask> {
  const { key, done } = await lookForDone(task, start, around);
  if (done) {
    await recordFinished(done, around.job, around.equipment);
    return done;
  }
  const progress: Progress = { start, tree: start.tree, attempts: 1, runs: [] };
  for (const [ordinal, step] of task.steps.entries()) {
    const { run, attempts } = await doStep(step, { task, ordinal, tree: progress.tree, runs: progress.runs, around });
    progress.runs.push(run);
    progress.attempts = Math.max(progress.attempts, attempts);
    advance(progress, run, { job: around.job, step });
    if (run.report.state !== "succeeded") break;
  }
  for (const run of await formatChanges(task, progress, around)) {
    progress.runs.push(run);
    advance(progress, run, { job: around.job });
  }
  const settled = await settle(task, progress, around);
  const isDelivered = settled.state === "succeeded" || settled.state === "no_changes";
  const finished = { ...(isDelivered ? await checkTask(settled, around) : settled), key };
  await recordFinished(finished, around.job, around.equipment);
  return finished;
}

interface Progress {
  start: Start;
  tree: string;
  attempts: number;
  runs: FinishedRun[];
}

function advance(progress: Progress, { taken }: FinishedRun, { job, step }: { job: Job; step?: Step }): void {
  if (!taken) return;
  followStep(job, { before: progress.tree, after: taken.tree, start: progress.start.tree, step });
  progress.tree = taken.tree;
}

interface At {
  task: Task;
  ordinal: number;
  tree: string;
  /** Of the steps before it. */
  runs: readonly FinishedRun[];
  around: Around;
}

async function doStep(step: Step, at: At): Promise<{ run: FinishedRun; attempts: number }> {
  const { task, ordinal, tree, around } = at;
  const { job, equipment } = around;
  const isSpread = equipment.spread !== undefined;
  const before = await stepBefore({ task: task.id, ordinal, tree }, job, { isSpread });
  if (before.done) return { run: before.done, attempts: before.attempts };
  await job.pausing.point();
  const order = { task, ordinal, tree, scope: scopeIn(around, task, step) };
  if (step.kind === "agent") {
    const wanted = { ...order, step, earlier: earlierSteps(at.runs) };
    return runUntilItLives(wanted, before, { run: (each) => runWhereItMay(each, around), signal: job.signal });
  }
  const attempt = before.attempts + 1;
  return { run: await runCommand({ ...order, step, attempt }, around), attempts: attempt };
}

/** By any node, where that is the same. */
function runWhereItMay(order: StepOrder, { job, equipment }: Around): Promise<FinishedRun> {
  const { spread } = equipment;
  return spread?.takes(order, job) ? spread.run(order, job) : runStep(order, job, equipment);
}

/** The scope of a step; without one, of the task as a whole. */
function scopeIn(around: Around, task: Task, step?: Step): Scope {
  const { job, equipment } = around;
  return scopeOf(task, step, { spec: job.spec, ceiling: equipment.ceiling, tools: toolNames });
}

/** What its runs amount to, with what they changed kept as a commit; its checks have not spoken yet. */
async function settle(task: Task, { start, tree, attempts, runs }: Progress, around: Around): Promise<FinishedTask> {
  const changes = composeChanges(runs.map((run) => run.taken?.touched ?? []));
  const ignored = [...new Set(runs.flatMap((run) => run.taken?.ignored ?? []))];
  const denials = runs.flatMap((run) => run.denials);
  const { state, failure } = judgeTask({
    reports: runs.map((run) => run.report),
    denials,
    filesChanged: changes.length,
    notAdmitted:
      runs.flatMap((run) => run.taken?.refused ?? [])[0] ?? (await refusedPath(task, { changes, runs }, around)),
    ignored,
  });
  const { tail, endsJob } = runs.at(-1) ?? {};
  return {
    ...task,
    state,
    start,
    attempts,
    ...(changes.length > 0 ? { tree, commit: await keepTask(task, { tree, start }, around) } : {}),
    filesChanged: changes.length,
    denials,
    ignored,
    submissions: runs.flatMap((run) => run.report.submission ?? []),
    ...(failure ? { failure: { ...failure, ...(tail ? { log: tail } : {}) } } : {}),
    checks: [],
    traceparents: runs.flatMap((run) => run.report.traceparent ?? []),
    spent: around.job.budget.spentOf(task.id),
    ...(endsJob ? { endsJob } : {}),
  };
}

/**
 * The whole diff of the task against its scope once more, whatever was decided call by call. What somebody would be asked
 * about counts as allowed where they were.
 */
async function refusedPath(
  task: Task,
  { changes, runs }: { changes: readonly Change[]; runs: readonly FinishedRun[] },
  around: Around,
): Promise<{ path: string; reason: string } | undefined> {
  const scope = reachOf(scopeIn(around, task), around.job.spec);
  const approved = new Set(runs.flatMap((run) => run.approved ?? []));
  const facts = { isCaseInsensitive: around.job.repository.isCaseInsensitive };
  const admission = admit(changes, (path) => {
    const decision = decide(scope, "Edit", path, facts);
    return decision.effect === "ask" && approved.has(path) ? { ...decision, effect: "allow" } : decision;
  });
  if (!admission.admitted) return { path: admission.path, reason: admission.reason };
  const [script] = await objectionsToScripts(changes, scope, around.job.repository);
  return script && { path: toShown(script[0]), reason: script[1].reason };
}

/** Agents that its own ones started may have been given more than those hold. */
function reachOf(scope: Scope, { limits }: JobSpec): Scope {
  const { grantable } = scope;
  return grantable && (limits.depth ?? 1) > 1 ? { ...scope, layers: grantable } : scope;
}

/** Its parent is what it started from, so that the commit alone says what the task did. */
async function keepTask(task: Task, made: { tree: string; start: Start }, { job, equipment }: Around): Promise<string> {
  const message = `${task.title}\n\nSheaf-Job: ${job.handle}\nSheaf-Task: ${task.id}\n`;
  const order = { tree: made.tree, parents: [made.start.commit], message, at: equipment.clock.now() };
  return withRoom(async () => {
    const commit = await commitTree(job.repository, order);
    await keepWork(task, commit, job);
    return commit;
  }, equipment);
}
