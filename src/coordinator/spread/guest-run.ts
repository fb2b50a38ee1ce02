import { JobBudget } from "../../budget/job-budget.ts";
import type { ClaimedRun } from "../../db/claim-run.ts";
import { closeSpansOfRun } from "../../db/close-spans.ts";
import type { findRun } from "../../db/find-run.ts";
import type { Event } from "../../protocol/event.ts";
import { createTracer } from "../../telemetry/thread-tracer.ts";
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
import type { Asks } from "./asks.ts";
import { hasPromised, means } from "./done-alike.ts";
import type { Guest } from "./guests.ts";
import { isBudgeted } from "./may-spread.ts";
import { earlierIn, spreadOrder } from "./spread-order.ts";

type RunRow = NonNullable<Awaited<ReturnType<typeof findRun>>>;

/**
 * The order of a run that another process has opened, made again here; undefined where this node would do it otherwise:
 * it has other rules, no sandbox, no way to the model, or not the secrets and the network that its commands are promised.
 */
export async function orderOf(
  row: RunRow,
  { guest, isOwner }: { guest: Guest; isOwner: boolean },
  equipment: Equipment,
): Promise<StepOrder | undefined> {
  const read = spreadOrder.safeParse(row.spec);
  const place = read.success ? guest.stepOf(read.data.task_id, read.data.ordinal) : undefined;
  if (!read.success || !place) return undefined;
  const { task, step } = place;
  const model = equipment.models.of(step.agent.model);
  if (!model || "failure" in model) return undefined;
  const { ordinal, attempt, tree, is_alone: isAlone, scope_sha256, means_sha256 } = read.data;
  const { ceiling } = equipment;
  const scope = scopeOf(task, step, { spec: guest.job.spec, ceiling, tools: toolNames });
  const wanted = { ...{ task, step, ordinal, attempt, tree, isAlone, scope }, ...earlierIn(read.data) };
  const order = await withPossibleTools(wanted, equipment);
  if (scopeHash(order.scope) !== scope_sha256) return undefined;
  // Whoever has the job does it as it does all of the job: if it could not, nobody would.
  if (isOwner) return order;
  const own = await means(order, equipment);
  return (means_sha256 ?? own) === own && (await hasPromised(order, guest.job, equipment)) ? order : undefined;
}

/** The order as it goes on from what is in the log of its run, which is this process's now. `before`: what it held before. */
export async function fromLog(
  order: StepOrder,
  { claimed, before }: { claimed: ClaimedRun; before: readonly Event[] },
  { database }: Pick<Equipment, "database">,
): Promise<StepOrder> {
  const { task, step, ordinal, attempt, tree, scope } = order;
  const since = claimed.head > before.length ? await eventsOfRun(claimed.runId, database, before.length) : [];
  // With one fact it was opened, and nobody has said anything since.
  const events = claimed.head > 1 ? [...before, ...since] : [];
  // Somebody may have begun it, and gone before it said anything.
  if (claimed.epoch > 1) await closeSpansOfRun(claimed, database);
  const place = { task_id: task.id, step: ordinal, attempt };
  const started = { ...place, agent: step.agent.name, base_tree: tree, scope_sha256: scopeHash(scope) };
  return { ...order, past: { runId: claimed.runId, attempt, started, events, claimed } };
}

export interface Terms {
  order: StepOrder;
  claimed: ClaimedRun;
  /** Each of its calls is asked for first. */
  isBudgeted: boolean;
  asks: Asks;
  standing: Standing;
  signal: AbortSignal;
}

/** The job as one of its runs knows it here. It has no log but its run's: the job's own is its owner's. */
export function jobOf(guest: Guest, terms: Terms, equipment: Equipment): Job {
  const { order, claimed, standing, signal, asks } = terms;
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
  const isAsking = terms.isBudgeted || isBudgeted(order, { spec }, equipment);
  const budget = new JobBudget(id, {}, {}, isAsking ? asks.treasury(claimed, order.task.id) : undefined);
  if (events.length > 0) {
    budget.restore({ id: claimed.runId, task: order.task.id }, usageIn(events, equipment.models));
  }
  return {
    ...guest.job,
    ...{ budget, standing, signal, logRun },
    // Of the run, not of the job: what this process leaves open is closed by whoever goes on with the run.
    tracer: createTracer(
      (message) => equipment.hub.accept(message, { jobId: id, runId: claimed.runId }),
      equipment.clock,
    ),
    // Its owner lets it come to its end.
    pausing: new Pausing(signal, () => {}),
    ...(events.length > 0 ? { history: readHistory(events, new Map()) } : {}),
    log: (facts) => logRun(claimed, facts),
  };
}
