import type { Reason } from "../protocol/result.ts";
import type { Step } from "../protocol/step.ts";
import type { Task } from "../protocol/task.ts";
import { attribute, queueSpan } from "../telemetry/semconv.ts";
import type { Equipment } from "./equipment.ts";
import { jobExhausted } from "./gate/exhausted.ts";
import type { Job } from "./job.ts";
import { type FinishedTask, recordFinished } from "./result/finished-task.ts";
import { neverStarted, stateAtEnd } from "./result/never-started.ts";
import { restoreTask } from "./resume/task-record.ts";
import { runTask } from "./run-task.ts";
import { Leases } from "./tasks/leases.ts";
import { runInOrder, type Schedule } from "./tasks/schedule.ts";
import { createStarts } from "./tasks/start-of.ts";

/**
 * Runs the tasks, so many at a time, each after all it needs. A task that never began is in the answer too, as what it
 * is.
 */
export interface Dispatched {
  tasks: FinishedTask[];
  /** What Sheaf itself, or the job's setup, failed at; the tasks that were under way were still waited for. */
  thrown?: unknown;
}

/** Runs under way per thread when the job sets no concurrency: enough to keep a thread busy while others do IO. */
const runsPerThread = 2;
/** Tasks under way whose agents wait for a model: rates and budgets bound them, this only bounds workspaces on a disk. */
const thinkingTasks = 256;

export async function dispatch(tasks: readonly Task[], job: Job, equipment: Equipment): Promise<Dispatched> {
  const { base, limits } = job.spec;
  const startOf = createStarts(job.repository, base, tasks);
  const waiting = new Map(tasks.map((task) => [task.id, startWaiting(task, job)]));
  const ended = new Map<string, FinishedTask>();
  const leases = new Leases(job.spec);
  const begin = async (task: Task): Promise<FinishedTask> => {
    const known = await finishedBefore(task, job);
    if (known) return known;
    const startable = await startOf(task, ended);
    if (startable.kind !== "ready") return putOut(task, { state: "failed", ...startable }, { job, equipment });
    const spent = beginsThinking(task, equipment) ? job.budget.exhausted : undefined;
    if (spent) return putOut(task, { state: "limit", failure: jobExhausted(spent) }, { job, equipment });
    return runTask(task, startable.start, { job, equipment });
  };
  const schedule: Schedule<Task> = {
    width: limits.concurrency ?? (isThinking(tasks) ? thinkingTasks : equipment.threads * runsPerThread),
    signal: job.signal,
    mayBegin(task) {
      const isFree = leases.isFree(task);
      if (!isFree) waiting.get(task.id)?.set({ [attribute.waitReason]: "lease" });
      return isFree;
    },
    async run(task, place) {
      leases.take(task);
      job.questions.seat(task.id, place);
      waiting.get(task.id)?.end();
      try {
        const finished = await job.pausing.during(() => begin(task));
        ended.set(task.id, finished);
        if (finished.endsJob) throw finished.endsJob;
      } catch (cause) {
        // Nothing comes of the job any more: no answer is waited for.
        job.questions.close();
        throw cause;
      } finally {
        leases.release(task);
      }
    },
  };
  // The tasks move on their own account; the job's story waits for them.
  const { thrown } = await job.pausing.without(() => runInOrder(tasks, schedule));
  for (const span of waiting.values()) span.end({ status: "error", message: "never started" });
  const left = stateAtEnd(job.signal, thrown?.cause);
  // What was finished before counts although the job ended before its turn came.
  const all = await Promise.all(
    tasks.map(async (task) => ended.get(task.id) ?? (await finishedBefore(task, job)) ?? neverStarted(task, left, job)),
  );
  return { tasks: all, ...(thrown ? { thrown: thrown.cause } : {}) };
}

async function finishedBefore(task: Task, { history, repository }: Job): Promise<FinishedTask | undefined> {
  const before = history?.tasks.get(task.id);
  return before && restoreTask(task, before, repository);
}

function isThinking(tasks: readonly Task[]): boolean {
  return tasks.some(({ steps }) => steps.some(isThought));
}

/** Nothing comes of it without a model call that costs something. */
function beginsThinking({ steps: [first] }: Task, { models }: Equipment): boolean {
  if (first?.kind !== "agent" || !isThought(first)) return false;
  const found = models.of(first.agent.model);
  return found !== undefined && "card" in found && found.card.price !== undefined;
}

function isThought(step: Step): boolean {
  return step.kind === "agent" && step.agent.model.provider === "messages";
}

function startWaiting(task: Task, job: Job) {
  const attributes = { [attribute.taskId]: task.id, [attribute.waitReason]: "slot" };
  return job.tracer.start(queueSpan(task.id), { parent: job.span, attributes });
}

async function putOut(
  task: Task,
  { state, failure }: Pick<FinishedTask, "state"> & { failure: Reason },
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<FinishedTask> {
  const finished = neverStarted(task, { state, failure }, job);
  await recordFinished(finished, job, equipment);
  return finished;
}
