import { join } from "node:path";
import type { ClaimedRun } from "../db/claim-run.ts";
import { type Failure, toFailure } from "../protocol/failure.ts";
import { noUsage } from "../protocol/message.ts";
import type { RunReport } from "../protocol/thread.ts";
import { bash } from "../tools/bash.ts";
import { type Bundle, writeBundle } from "../workspace/bundle.ts";
import { Unsettled } from "../workspace/unsettled.ts";
import { createWorkspace, type Workspace } from "../workspace/workspace.ts";
import { withOutsideTools } from "./calls/outside-tools.ts";
import { secretFinder } from "./commands/secret-finder.ts";
import type { Around } from "./commands/setup.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { eventsOfRun } from "./resume/events-of.ts";
import { forgetQuestions } from "./resume/forget-questions.ts";
import { endPast, refuseToGoOn, removeOlder } from "./resume/go-on.ts";
import { withRoom } from "./room.ts";
import { runInThread, type ThreadEnding } from "./run-in-thread.ts";
import { beginRun, endRun } from "./tasks/claimed-run.ts";
import { clearAway } from "./tasks/clear-away.ts";
import { scopeHash } from "./tasks/scope-hash.ts";
import type { FinishedRun, StepOrder } from "./tasks/step-order.ts";

/**
 * One run: a row, a workspace at the exact tree, a thread, and the tree that the coordinator takes itself when it is
 * over. The workspace is gone afterwards, whatever happened.
 */
export async function runStep(asked: StepOrder, job: Job, equipment: Equipment): Promise<FinishedRun> {
  const { order, failure } = await withOutsideTools(await withPossibleTools(asked, equipment), { job, equipment });
  const refusal = refuseToGoOn(order, job);
  if (refusal) return endPast(refusal, { job, equipment });
  const begin = () => beginRun(order, { kind: "agent", name: order.step.agent.name }, { job, equipment });
  const run = order.past?.claimed ?? (await begin());
  if (failure) return endUnbegun(run, failure, { job, equipment });
  const directory = join(equipment.home, "workspaces", `${run.runId}-${run.epoch}`);
  const wanted = { directory, tree: order.tree, isSecret: secretFinder({ job, equipment }), ...coverOf(order) };
  const make = () => withRoom(() => createWorkspace(job.repository, wanted), equipment, directory);
  let workspace = await make();
  try {
    if (order.past) await removeOlder(run, { job, equipment });
    const bundle = await withRoom(() => bundleFor(order, workspace, job), equipment);
    const begunAt = equipment.clock.now();
    let ending = await runInThread(run, order, { workspace, bundle, job, equipment, mayGoOn: true });
    if (ending.isCutOff && (await isRemoved(workspace))) {
      const again = await fromOwnLog(run, order, equipment);
      workspace = await make();
      // Counted anew by its log, in which all that it has started is told.
      ending = await runInThread({ ...run }, again, { workspace, bundle, job, equipment, begunAt });
      if (ending.hasThreadDied) ending.hasDiedAlone = true;
    }
    const finished = await withRoom(() => withTree(ending, workspace), equipment);
    if (finished.hasParted) await forgetQuestions(run, { job, equipment });
    await endRun(run, finished, { job, equipment });
    return finished;
  } finally {
    await clearAway(workspace, equipment);
  }
}

/** What a thread left of its files is in its log, or was never done. */
function isRemoved(workspace: Workspace): Promise<boolean> {
  return workspace.dispose().then(
    () => true,
    () => false,
  );
}

/** The same run, alone from here on: it may be why the thread of all of them died. */
async function fromOwnLog(run: ClaimedRun, order: StepOrder, { database }: Equipment): Promise<StepOrder> {
  const { task, step, ordinal, attempt, tree: base_tree, scope } = order;
  const place = { task_id: task.id, step: ordinal, attempt };
  const started = { ...place, agent: step.agent.name, base_tree, scope_sha256: scopeHash(scope) };
  const events = await eventsOfRun(run.runId, database);
  return {
    ...order,
    isAlone: true,
    past: { runId: run.runId, attempt, started, events, claimed: run, isInBooks: true },
  };
}

/** Without what it was promised, an agent does not begin. */
async function endUnbegun(run: ClaimedRun, failure: Failure, around: Around): Promise<FinishedRun> {
  const report: RunReport = { state: "failed", failure, turns: 0, usage: noUsage };
  const finished = { report, denials: [], hasThreadDied: false };
  await endRun(run, finished, around);
  return finished;
}

/** What an agent left that git cannot tell is the end of its run. */
async function withTree(ending: ThreadEnding, workspace: Workspace): Promise<FinishedRun> {
  if (ending.hasThreadDied || ending.hasParted) return ending;
  try {
    return { ...ending, taken: await workspace.takeTree() };
  } catch (thrown) {
    if (!(thrown instanceof Unsettled)) throw thrown;
    const { report } = ending;
    return { ...ending, report: report.failure ? report : { ...report, state: "failed", failure: toFailure(thrown) } };
  }
}

/** Commands are offered where something can hold them. */
export async function withPossibleTools(order: StepOrder, equipment: Equipment): Promise<StepOrder> {
  const { scope, step } = order;
  if (!scope.tools.includes(bash.name)) return order;
  const isPossible = step.agent.model.provider !== "recipe" && !("unavailable" in (await equipment.sandbox()));
  if (isPossible) return order;
  return { ...order, scope: { ...scope, tools: scope.tools.filter((name) => name !== bash.name) } };
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
