import { JobBudget } from "../../budget/job-budget.ts";
import type { ClaimedRun } from "../../db/claim-run.ts";
import { closeSpansOfRun } from "../../db/close-spans.ts";
import type { findRun } from "../../db/find-run.ts";
import { toolNames } from "../../tools/catalog.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { Pausing } from "../pausing.ts";
import { usageIn } from "../result/open-runs.ts";
import { redactRecord } from "../result/redact-record.ts";
import { eventsOfRun } from "../resume/events-of.ts";
import { readHistory } from "../resume/history.ts";
import { withPossibleTools } from "../run-step.ts";
import type { Standing } from "../standing.ts";
import { scopeHash } from "../tasks/scope-hash.ts";
import { scopeOf } from "../tasks/scope-of.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { tellListeners } from "../tell-listeners.ts";
import type { Guest } from "./guests.ts";
import { earlierIn, spreadOrder } from "./spread-order.ts";

type RunRow = NonNullable<Awaited<ReturnType<typeof findRun>>>;

/**
 * The order of a run that another process has opened, made again here; undefined where this node would do it otherwise:
 * it has other rules, no sandbox or no way to the model.
 */
export async function orderOf(row: RunRow, guest: Guest, equipment: Equipment): Promise<StepOrder | undefined> {
  const read = spreadOrder.safeParse(row.spec);
  const place = read.success ? guest.stepOf(read.data.task_id, read.data.ordinal) : undefined;
  if (!read.success || !place) return undefined;
  const { task, step } = place;
  const model = equipment.models.of(step.agent.model);
  if (!model || "failure" in model) return undefined;
  const { ordinal, attempt, tree, is_alone: isAlone, scope_sha256 } = read.data;
  const { ceiling } = equipment;
  const scope = scopeOf(task, step, { spec: guest.job.spec, ceiling, tools: toolNames });
  const wanted = { ...{ task, step, ordinal, attempt, tree, isAlone, scope }, ...earlierIn(read.data) };
  const order = await withPossibleTools(wanted, equipment);
  return scopeHash(order.scope) === scope_sha256 ? order : undefined;
}

/** The order as it goes on from what is in the log of its run, which is this process's now. */
export async function fromLog(
  order: StepOrder,
  claimed: ClaimedRun,
  { database }: Pick<Equipment, "database">,
): Promise<StepOrder> {
  const { task, step, ordinal, attempt, tree, scope } = order;
  // With one fact it was opened, and nobody has begun.
  const events = claimed.head > 1 ? await eventsOfRun(claimed.runId, database) : [];
  if (events.length > 0) await closeSpansOfRun(claimed, database);
  const place = { task_id: task.id, step: ordinal, attempt };
  const started = { ...place, agent: step.agent.name, base_tree: tree, scope_sha256: scopeHash(scope) };
  return { ...order, past: { runId: claimed.runId, attempt, started, events, claimed } };
}

export interface Terms {
  order: StepOrder;
  claimed: ClaimedRun;
  standing: Standing;
  signal: AbortSignal;
}

/** The job as one of its runs knows it here. It has no log but its run's: the job's own is its owner's. */
export function jobOf(guest: Guest, { order, claimed, standing, signal }: Terms, equipment: Equipment): Job {
  const { id, spec, span } = guest.job;
  const told = { id, traceId: span.traceId };
  const logRun: Job["logRun"] = async (run, said, spanId, also) => {
    const facts = said.map((fact) => redactRecord(fact, equipment.redact));
    await standing.confirm();
    await equipment.writer.append(run, facts, { ...(spanId ? { spanId } : {}), ...(also ? { also } : {}) });
    // What the facts announce is done after this: by then it may be somebody else's to do.
    await standing.confirm();
    tellListeners(equipment, { job: told, runId: run.runId, facts });
  };
  const events = order.past?.events ?? [];
  const budget = new JobBudget(id, spec.limits, equipment.spending.jobLimit);
  if (events.length > 0) {
    budget.restore({ id: claimed.runId, task: order.task.id }, usageIn(events, equipment.models));
  }
  return {
    ...guest.job,
    ...{ budget, standing, signal, logRun },
    // Its owner lets it come to its end.
    pausing: new Pausing(signal, () => {}),
    ...(events.length > 0 ? { history: readHistory(events, new Map()) } : {}),
    log: (facts) => logRun(claimed, facts),
  };
}
