import { nothingSpent } from "../../budget/job-budget.ts";
import { claimRun } from "../../db/claim-run.ts";
import { closeSpansOfRun } from "../../db/close-spans.ts";
import { Fault } from "../../protocol/failure.ts";
import type { Queue } from "../../queue/queue.ts";
import type { Equipment } from "../equipment.ts";
import { tenant } from "../gate/spending.ts";
import type { Job } from "../job.ts";
import { usageIn } from "../result/open-runs.ts";
import { eventsOfRun } from "../resume/events-of.ts";
import type { PastRun } from "../resume/history.ts";
import { restoreRun } from "../resume/run-record.ts";
import { runStep, withPossibleTools } from "../run-step.ts";
import { beginRun, spentOf } from "../tasks/claimed-run.ts";
import { scopeHash } from "../tasks/scope-hash.ts";
import type { FinishedRun, StepOrder } from "../tasks/step-order.ts";
import type { Bells } from "./bells.ts";
import type { Books } from "./books.ts";
import { means } from "./done-alike.ts";
import type { Ended, EndedRuns } from "./ended-runs.ts";
import { isBudgeted, maySpread } from "./may-spread.ts";
import { baseRef } from "./shared-repository.ts";
import { toSpreadOrder } from "./spread-order.ts";
import { stopElsewhere } from "./stop-elsewhere.ts";

export interface Spreading {
  runs: Queue;
  bells: Bells;
  ended: EndedRuns;
  books: Books;
  equipment: Equipment;
}

/**
 * A run that any node may do, for the owner of its job: opened (or found, as a process before this one left it), and
 * waited for. What can only be done here is done here.
 */
export async function runAnywhere(wanted: StepOrder, job: Job, spreading: Spreading): Promise<FinishedRun> {
  const { equipment, bells, ended } = spreading;
  const order = await withPossibleTools(wanted, equipment);
  const { past } = order;
  const isAnybodys = await mayBeElsewhere(order, job);
  if (!isAnybodys && !past) return runStep(wanted, job, equipment);
  const back = isAnybodys || !past ? undefined : await takeBack(past, { order: wanted, job }, spreading);
  if (back) return runStep(back, job, equipment);
  // In the job's log once, by whoever has the job.
  await job.brief.shared();
  const begun = past ?? (await open(order, job, spreading));
  spreading.books.share(job);
  const waiting = ended.wait(begun.runId);
  try {
    await bells.send({ runId: begun.runId, jobId: job.id, tenant, priority: 0 });
    const found = await untilEnded(waiting, job.signal);
    return found
      ? await take(found, begun, job, spreading)
      : await stopElsewhere(begun, { waiting, job, spreading, take });
  } finally {
    ended.forget(begun.runId);
  }
}

/** Not where its result could not be found, nor where the rules have changed since it was opened. */
async function mayBeElsewhere(order: StepOrder, job: Job): Promise<boolean> {
  const hash = order.past?.started.scope_sha256 ?? scopeHash(order.scope);
  if (!maySpread(order, job) || hash !== scopeHash(order.scope)) return false;
  return (await job.repository.objects.info(baseRef(job.id))) !== undefined;
}

/** From whichever node has it; undefined where it is over. */
async function takeBack(
  past: PastRun,
  { order, job }: { order: StepOrder; job: Job },
  spreading: Spreading,
): Promise<StepOrder | undefined> {
  const { equipment } = spreading;
  const { clock, database, node } = equipment;
  const from = ["queued", "running", "waiting"] as const;
  const claimed = await claimRun({ runId: past.runId, owner: node, from }, clock, database);
  if (!claimed) return undefined;
  const events = await eventsOfRun(past.runId, database);
  await spreading.books.end(past, usageIn(events, equipment.models), job);
  await closeSpansOfRun(claimed, database);
  return { ...order, past: { ...past, claimed, events } };
}

async function open(order: StepOrder, job: Job, { equipment }: Spreading): Promise<PastRun> {
  const spec = toSpreadOrder(order, {
    means: await means(order, equipment),
    isBudgeted: isBudgeted(order, job, equipment),
  });
  const by = { kind: "agent" as const, name: order.step.agent.name, spec };
  const { runId } = await beginRun(order, by, { job, equipment });
  const place = { task_id: order.task.id, step: order.ordinal, attempt: order.attempt };
  const started = { ...place, agent: by.name, base_tree: order.tree, scope_sha256: by.spec.scope_sha256 };
  return { runId, attempt: order.attempt, started, events: [] };
}

function untilEnded(waiting: Promise<Ended>, signal: AbortSignal): Promise<Ended | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
  const hear = () => stop(undefined);
  signal.addEventListener("abort", hear, { once: true });
  return Promise.race([waiting, stopped]).finally(() => signal.removeEventListener("abort", hear));
}

/** What it came to, with what it took in the job's books. */
async function take(found: Ended, past: PastRun, job: Job, { books }: Spreading): Promise<FinishedRun> {
  const run = "run" in found ? found.run : await restored(found, past, job);
  await books.end(past, run.spent ?? nothingSpent, job);
  return run;
}

async function restored(
  { finished }: Extract<Ended, { finished: unknown }>,
  past: PastRun,
  job: Job,
): Promise<FinishedRun> {
  const spent = spentOf(finished);
  const run = await restoreRun({ ...past, finished }, job.repository);
  if (run) return { ...run, spent };
  const { state, failure, turns, usage } = finished;
  if (failure?.code !== "interrupted") throw treeIsGone(past);
  const report = { state, failure, turns, usage };
  return { report, spent, denials: [], hasThreadDied: false, hasParted: true };
}

function treeIsGone({ runId }: PastRun): Fault {
  return new Fault("git", `the tree that run ${runId} left is not in this node's repositories`, {
    remedy: "let all nodes share one data folder: docs/nodes.md",
  });
}
