import { join } from "node:path";
import { type ClaimedRun, claimRun } from "../db/claim-run.ts";
import { createRuns } from "../db/create-run.ts";
import { finishRun } from "../db/finish-run.ts";
import { Fault } from "../protocol/failure.ts";
import { type Bundle, writeBundle } from "../workspace/bundle.ts";
import { createWorkspace, type Workspace } from "../workspace/workspace.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { runInThread } from "./run-in-thread.ts";
import { scopeHash } from "./scope-hash.ts";
import type { FinishedRun, StepOrder } from "./step-order.ts";

/**
 * One run: a row, a workspace at the exact tree, a thread, and the tree that the coordinator takes itself when it is
 * over. The workspace is gone afterwards, whatever happened.
 */
export async function runStep(order: StepOrder, job: Job, equipment: Equipment): Promise<FinishedRun> {
  const run = await beginRun(order, job, equipment);
  const workspace = await createWorkspace(job.repository, {
    directory: join(equipment.home, "workspaces", `${run.runId}-${run.epoch}`),
    tree: order.tree,
    ...coverOf(order),
  });
  try {
    const bundle = await bundleFor(order, workspace, job);
    const { report, denials, hasThreadDied } = await runInThread(run, order, { workspace, bundle, job, equipment });
    const taken = hasThreadDied ? {} : { taken: await workspace.takeTree() };
    const finished: FinishedRun = { report, denials, hasThreadDied, ...taken };
    await endRun(run, finished, equipment);
    return finished;
  } finally {
    await workspace.dispose();
  }
}

async function beginRun(order: StepOrder, job: Job, { clock, database, node }: Equipment): Promise<ClaimedRun> {
  const { task, ordinal, attempt } = order;
  const wanted = { jobId: job.id, parentId: job.root.runId, taskId: task.id, step: ordinal, attempt };
  const [runId] = await createRuns([wanted], clock, database);
  const run = runId && (await claimRun({ runId, owner: node }, clock, database));
  if (!run) throw new Fault("conflict", `a run of task ${task.id} was taken by another node`);
  const place = { task_id: task.id, step: ordinal, attempt };
  await job.log([{ type: "task.started", data: { ...place, run_id: run.runId } }]);
  const agent = order.step.agent.name;
  const started = { ...place, agent, base_tree: order.tree, scope_sha256: scopeHash(order.scope) };
  await job.logRun(run, [{ type: "run.started", data: started }]);
  return run;
}

async function endRun(run: ClaimedRun, { report, taken }: FinishedRun, { clock, database }: Equipment): Promise<void> {
  const { traceparent: _, ...said } = report;
  const { state, failure } = said;
  const data = { ...said, ...(taken ? { tree: taken.tree } : {}) };
  await finishRun(run, { state, failure, facts: [{ type: "run.finished", data }] }, clock, database);
}

/** A recipe looks at every file of its task: they come to it in one piece. */
async function bundleFor(
  { task, step, tree }: StepOrder,
  { scratch }: Workspace,
  job: Job,
): Promise<Bundle | undefined> {
  if (step.agent.model.provider !== "recipe") return undefined;
  return writeBundle(job.repository, { tree, paths: task.files, file: join(scratch, "bundle") });
}

/**
 * Directories are brought in whole, single files one by one, everything else on demand. A recipe reads each file once
 * and changes few: its workspace starts empty, which spares the disk every file that it leaves alone.
 */
function coverOf({ task, step }: StepOrder): { files: string[]; directories: string[] } {
  if (step.agent.model.provider === "recipe") return { files: [], directories: [] };
  const directories = task.writes.flatMap((paths) => ("directories" in paths ? paths.directories : []));
  const isCovered = (path: string) => directories.some((top) => top === "" || path.startsWith(`${top}/`));
  return { files: task.files.filter((path) => !isCovered(path)), directories };
}
