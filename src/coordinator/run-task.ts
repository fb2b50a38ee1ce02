import { recordTask } from "../db/record-task.ts";
import { admit } from "../merge/admit.ts";
import { decide } from "../permission/decide.ts";
import { taskScope } from "../permission/task-scope.ts";
import type { Submission } from "../protocol/claim.ts";
import type { TaskState } from "../protocol/event.ts";
import type { Failure } from "../protocol/failure.ts";
import { Fault } from "../protocol/failure.ts";
import type { AgentStep } from "../protocol/job.ts";
import { addUsage, noUsage, type Usage } from "../protocol/message.ts";
import type { Denial } from "../protocol/result.ts";
import type { Task } from "../protocol/task.ts";
import { toolNames } from "../tools/catalog.ts";
import { composeChanges } from "../workspace/compose-changes.ts";
import type { Change } from "../workspace/diff.ts";
import { commitTree, keep } from "../workspace/tree.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { judgeTask } from "./judge-task.ts";
import { runStep } from "./run-step.ts";
import type { FinishedRun } from "./step-order.ts";

/**
 * One task from its first step to a kept commit. Each step is a run; a thread that dies costs an attempt only to the
 * run that was alone in it. What an agent says about its work decides nothing here: the tree does.
 */
export interface FinishedTask extends Task {
  state: TaskState;
  attempts: number;
  /** The tree of its last run, and the commit on the base that keeps it; absent when nothing changed. */
  tree?: string;
  commit?: string;
  filesChanged: number;
  denials: readonly Omit<Denial, "task">[];
  /** Files it wrote that git ignores, which are not taken. */
  ignored: readonly string[];
  submissions: readonly Submission[];
  failure?: Failure;
  usage: Usage;
  /** The spans of its runs. */
  traceparents: readonly string[];
}

/** Deaths of a run while it was alone in its thread, before it is given up as poison. */
const mostLonelyDeaths = 2;

export async function runTask(task: Task, job: Job, equipment: Equipment): Promise<FinishedTask> {
  const progress = { tree: job.spec.base.tree, attempts: 1, runs: [] as FinishedRun[] };
  for (const [ordinal, step] of task.steps.entries()) {
    if (step.kind === "command") throw new Fault("job_file", "a step that runs a command is not built yet");
    const { run, attempts } = await runUntilItLives(task, step, { ordinal, tree: progress.tree, job, equipment });
    progress.runs.push(run);
    progress.attempts = Math.max(progress.attempts, attempts);
    if (run.taken) progress.tree = run.taken.tree;
    if (run.report.state !== "succeeded") break;
  }
  return settle(task, progress, { job, equipment });
}

interface At {
  ordinal: number;
  tree: string;
  job: Job;
  equipment: Equipment;
}

async function runUntilItLives(task: Task, step: AgentStep, at: At): Promise<{ run: FinishedRun; attempts: number }> {
  const { job, equipment, ordinal, tree } = at;
  const { name, allow } = step.agent;
  const agent = { name, ...(allow ? { allow } : {}) };
  const scope = taskScope({ writes: task.writes, job: job.spec.permissions, agent, tools: toolNames });
  for (let attempt = 1, lonelyDeaths = 0; ; attempt++) {
    const isAlone = attempt > 1;
    const run = await runStep({ task, step, ordinal, attempt, tree, scope, isAlone }, job, equipment);
    if (run.hasThreadDied && isAlone) lonelyDeaths += 1;
    if (!run.hasThreadDied || lonelyDeaths >= mostLonelyDeaths || job.signal.aborted) return { run, attempts: attempt };
  }
}

async function settle(
  task: Task,
  progress: { tree: string; attempts: number; runs: readonly FinishedRun[] },
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<FinishedTask> {
  const changes = composeChanges(progress.runs.map((run) => run.taken?.touched ?? []));
  const ignored = [...new Set(progress.runs.flatMap((run) => run.taken?.ignored ?? []))];
  const denials = progress.runs.flatMap((run) => run.denials);
  const { state, failure } = judgeTask({
    reports: progress.runs.map((run) => run.report),
    denials,
    filesChanged: changes.length,
    notAdmitted: progress.runs.flatMap((run) => run.taken?.refused ?? [])[0] ?? refusedPath(task, changes, job),
    ignored,
  });
  const hasTree = changes.length > 0;
  const commit = hasTree ? await keepTask(task, progress.tree, { job, equipment }) : undefined;
  const finished: FinishedTask = {
    ...task,
    state,
    attempts: progress.attempts,
    ...(commit ? { tree: progress.tree, commit } : {}),
    filesChanged: changes.length,
    denials,
    ignored,
    submissions: progress.runs.flatMap((run) => run.report.submission ?? []),
    ...(failure ? { failure } : {}),
    traceparents: progress.runs.flatMap((run) => run.report.traceparent ?? []),
    usage: progress.runs.reduce((sum, run) => addUsage(sum, run.report.usage), noUsage),
  };
  const { attempts, filesChanged: files_changed } = finished;
  const data = { task_id: task.id, state, attempts, files_changed, ...(commit ? { tree: progress.tree } : {}) };
  await job.log([{ type: "task.finished", data: { ...data, ...(failure ? { failure } : {}) } }]);
  const record = { state, ...(commit ? { resultTree: progress.tree, resultCommit: commit } : {}) };
  await recordTask(job.root, task.id, record, equipment.database);
  return finished;
}

/** The whole diff of the task against its scope once more, whatever was decided call by call. */
function refusedPath(task: Task, changes: readonly Change[], job: Job): { path: string; reason: string } | undefined {
  const scope = taskScope({ writes: task.writes, job: job.spec.permissions, tools: toolNames });
  const facts = { isCaseInsensitive: job.repository.isCaseInsensitive };
  const admission = admit(changes, (path) => decide(scope, "Edit", path, facts));
  return admission.admitted ? undefined : { path: admission.path, reason: admission.reason };
}

async function keepTask(task: Task, tree: string, { job, equipment }: Omit<At, "ordinal" | "tree">): Promise<string> {
  const message = `${task.title}\n\nSheaf-Job: ${job.handle}\nSheaf-Task: ${task.id}\n`;
  const order = { tree, parents: [job.spec.base.commit], message, at: equipment.clock.now() };
  const commit = await commitTree(job.repository, order);
  await keep(job.repository, `refs/sheaf/${job.id}/tasks/${task.ordinal}`, commit);
  return commit;
}
