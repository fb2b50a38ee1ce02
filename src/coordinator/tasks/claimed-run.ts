import { dayOf } from "../../budget/day-budget.ts";
import { nothingSpent, type Spent } from "../../budget/job-budget.ts";
import type { ClaimedRun } from "../../db/claim-run.ts";
import type { UsedModel } from "../../db/record-usage.ts";
import type { FactData } from "../../protocol/event.ts";
import { newUuid, runId } from "../../protocol/ids.ts";
import type { Equipment } from "../equipment.ts";
import { tenant } from "../gate/spending.ts";
import type { Job } from "../job.ts";
import { redactRecord } from "../result/redact-record.ts";
import { runRecord } from "../resume/run-record.ts";
import { scopeHash } from "./scope-hash.ts";
import type { FinishedRun, RunOrder, StepOrder } from "./step-order.ts";

/**
 * The row and the log of one run: opened before anything is done for it, and ended with what came of it. With a `spec` it
 * is opened for any node, and nobody has it yet.
 */
export async function beginRun(
  order: RunOrder & Pick<StepOrder, "outside">,
  by: { kind: "agent" | "command"; name: string; parent?: ClaimedRun; spec?: unknown },
  { job, equipment: { clock, node, redact } }: { job: Job; equipment: Equipment },
): Promise<ClaimedRun> {
  const { task, ordinal, attempt } = order;
  const { kind, parent, spec } = by;
  const isOwn = spec === undefined;
  const run: ClaimedRun = { runId: runId.parse(newUuid(clock)), jobId: job.id, epoch: isOwn ? 1 : 0, head: 0 };
  const at = new Date(clock.now());
  const row = { jobId: job.id, taskId: task.id, step: ordinal, attempt, kind, owner: node, at };
  const { runId: parentId, epoch: parentEpoch } = parent ?? job.root;
  const opens = { ...row, parentId, parentEpoch, ...(isOwn ? {} : { spec: redactRecord(spec, redact) }) };
  const place = { task_id: task.id, step: ordinal, attempt };
  const { pinned = [] } = order.outside ?? {};
  const tools = pinned.length > 0 ? { tools: [...pinned] } : {};
  const started = { ...place, agent: by.name, base_tree: order.tree, scope_sha256: scopeHash(order.scope), ...tools };
  await Promise.all([
    // A run that another one starts begins nothing of the job's own.
    parent ? undefined : job.log([{ type: "task.started", data: { ...place, run_id: run.runId } }]),
    job.logRun(run, [{ type: "run.started", data: started }], undefined, { opens }),
  ]);
  return run;
}

export async function endRun(
  run: ClaimedRun,
  finished: FinishedRun,
  { job, equipment: { clock, redact } }: { job: Pick<Job, "logRun">; equipment: Pick<Equipment, "clock" | "redact"> },
): Promise<void> {
  const { report, taken, spent, model } = finished;
  const { traceparent: _, ...said } = redactRecord(report, redact);
  const { state, failure } = said;
  const record = redactRecord(runRecord(finished), redact);
  const data = { ...said, ...costOf(spent), ...(taken ? { tree: taken.tree } : {}), record };
  const used = spent && model !== undefined ? usedOf(spent, model, dayOf(clock.now())) : undefined;
  const ends = { state, failure, at: new Date(clock.now()) };
  await job.logRun(run, [{ type: "run.finished", data }], undefined, { ends, ...(used ? { used } : {}) });
}

function usedOf(spent: Spent, model: string, day: string): UsedModel | undefined {
  return spent === nothingSpent ? undefined : { tenant, day, model, ...spent };
}

function costOf(spent: Spent | undefined): { cost_nano_usd?: number | null } {
  if (!spent || (spent.isCostKnown && spent.costNanoUsd === 0)) return {};
  return { cost_nano_usd: spent.isCostKnown ? spent.costNanoUsd : null };
}

/** The same the other way round: what the end of a run says that it took. */
export function spentOf({
  usage,
  cost_nano_usd: cost = 0,
}: Pick<FactData<"run.finished">, "usage" | "cost_nano_usd">): Spent {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = usage;
  if (input_tokens + output_tokens + cache_read_tokens + cache_write_tokens === 0) return nothingSpent;
  return { usage, costNanoUsd: cost ?? 0, isCostKnown: cost !== null };
}
