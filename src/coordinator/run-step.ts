import { join } from "node:path";
import { createRun } from "../db/create-run.ts";
import { finishRun } from "../db/finish-run.ts";
import { newUuid, type RunId, runId } from "../protocol/ids.ts";
import type { Step } from "../protocol/job.ts";
import type { Denial } from "../protocol/result.ts";
import type { Scope } from "../protocol/scope.ts";
import type { Task } from "../protocol/task.ts";
import type { RunReport } from "../protocol/thread.ts";
import { createWorkspace, type TakenTree } from "../workspace/workspace.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { runInThread } from "./run-in-thread.ts";
import { scopeHash } from "./scope-hash.ts";

/**
 * One run: a row, a workspace at the exact tree, a thread, and the tree that the coordinator takes itself when it is
 * over. The workspace is gone afterwards, whatever happened.
 */
export interface StepOrder {
  task: Task;
  step: Step;
  /** Place of the step in its task, from 0. */
  ordinal: number;
  /** From 1. */
  attempt: number;
  /** The tree it starts from. */
  tree: string;
  scope: Scope;
  isAlone: boolean;
}

export interface FinishedRun {
  id: RunId;
  report: RunReport;
  /** Absent when the thread died: what it left is not trusted. */
  taken?: TakenTree;
  denials: readonly Omit<Denial, "task">[];
  hasThreadDied: boolean;
}

export async function runStep(order: StepOrder, job: Job, equipment: Equipment): Promise<FinishedRun> {
  const id = await beginRun(order, job, equipment);
  const workspace = await createWorkspace(job.repository, {
    directory: join(equipment.home, "workspaces", `${id}-1`),
    tree: order.tree,
    ...coverOf(order.task),
  });
  try {
    const { report, denials, hasThreadDied } = await runInThread(id, order, { workspace, job, equipment });
    const taken = hasThreadDied ? {} : { taken: await workspace.takeTree() };
    const finished: FinishedRun = { id, report, denials, hasThreadDied, ...taken };
    await endRun(finished, job, equipment);
    return finished;
  } finally {
    await workspace.dispose();
  }
}

async function beginRun(order: StepOrder, job: Job, equipment: Equipment): Promise<RunId> {
  const id = runId.parse(newUuid(equipment.clock));
  const place = { task_id: order.task.id, step: order.ordinal, attempt: order.attempt };
  await job.log([{ type: "task.started", data: { ...place, run_id: id } }]);
  await createRun(
    { id, jobId: job.id, taskId: order.task.id, step: order.ordinal, attempt: order.attempt, owner: equipment.node },
    equipment,
  );
  const agent = order.step.agent.name;
  const started = { ...place, agent, base_tree: order.tree, scope_sha256: scopeHash(order.scope) };
  await job.logRun(id, [{ type: "run.started", data: started }]);
  return id;
}

async function endRun({ id, report, taken }: FinishedRun, job: Job, equipment: Equipment): Promise<void> {
  await finishRun(
    { id, jobId: job.id, epoch: 1, state: report.state, ...(report.failure ? { failure: report.failure } : {}) },
    { type: "run.finished", data: { ...report, ...(taken ? { tree: taken.tree } : {}) } },
    equipment,
  );
}

/** Directories are brought in whole, single files one by one, everything else on demand. */
function coverOf(task: Task): { files: string[]; directories: string[] } {
  const directories = task.writes.flatMap((paths) => ("directories" in paths ? paths.directories : []));
  const isCovered = (path: string) => directories.some((top) => top === "" || path.startsWith(`${top}/`));
  return { files: task.files.filter((path) => !isCovered(path)), directories };
}
