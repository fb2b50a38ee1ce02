import { dayOf } from "../../budget/day-budget.ts";
import { nothingSpent, type Spent } from "../../budget/job-budget.ts";
import { type ClaimedRun, claimRun } from "../../db/claim-run.ts";
import { createRuns } from "../../db/create-run.ts";
import { finishRun } from "../../db/finish-run.ts";
import type { UsedModel } from "../../db/record-usage.ts";
import { Fault } from "../../protocol/failure.ts";
import type { Equipment } from "../equipment.ts";
import { tenant } from "../gate/spending.ts";
import type { Job } from "../job.ts";
import { redactRecord } from "../result/redact-record.ts";
import { scopeHash } from "./scope-hash.ts";
import type { FinishedRun, RunOrder, StepOrder } from "./step-order.ts";

/** The row and the log of one run: opened before anything is done for it, and ended with what came of it. */
export async function beginRun(
  order: RunOrder & Pick<StepOrder, "outside">,
  by: { kind: "agent" | "command"; name: string; parent?: ClaimedRun },
  { job, equipment: { clock, database, node } }: { job: Job; equipment: Equipment },
): Promise<ClaimedRun> {
  const { task, ordinal, attempt } = order;
  const { kind, parent } = by;
  const wanted = { jobId: job.id, parentId: (parent ?? job.root).runId, taskId: task.id, step: ordinal, attempt, kind };
  const [runId] = await createRuns([wanted], clock, database);
  const run = runId && (await claimRun({ runId, owner: node }, clock, database));
  if (!run) throw new Fault("conflict", `a run of task ${task.id} was taken by another node`);
  const place = { task_id: task.id, step: ordinal, attempt };
  // A run that another one starts begins nothing of the job's own.
  if (!parent) await job.log([{ type: "task.started", data: { ...place, run_id: run.runId } }]);
  const { pinned = [] } = order.outside ?? {};
  const tools = pinned.length > 0 ? { tools: [...pinned] } : {};
  const started = { ...place, agent: by.name, base_tree: order.tree, scope_sha256: scopeHash(order.scope), ...tools };
  await job.logRun(run, [{ type: "run.started", data: started }]);
  return run;
}

export async function endRun(
  run: ClaimedRun,
  { report, taken, spent, model }: Pick<FinishedRun, "report" | "taken" | "spent" | "model">,
  { clock, database, redact }: Equipment,
): Promise<void> {
  const { traceparent: _, ...said } = redactRecord(report, redact);
  const { state, failure } = said;
  const data = { ...said, ...costOf(spent), ...(taken ? { tree: taken.tree } : {}) };
  const used = spent && model !== undefined ? usedOf(spent, model, dayOf(clock.now())) : undefined;
  await finishRun(run, { state, failure, used, facts: [{ type: "run.finished", data }] }, clock, database);
}

function usedOf(spent: Spent, model: string, day: string): UsedModel | undefined {
  return spent === nothingSpent ? undefined : { tenant, day, model, ...spent };
}

function costOf(spent: Spent | undefined): { cost_nano_usd?: number | null } {
  if (!spent || (spent.isCostKnown && spent.costNanoUsd === 0)) return {};
  return { cost_nano_usd: spent.isCostKnown ? spent.costNanoUsd : null };
}
