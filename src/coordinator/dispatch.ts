import { noUsage } from "../protocol/message.ts";
import type { Task } from "../protocol/task.ts";
import { attribute, queueSpan } from "../telemetry/semconv.ts";
import type { Equipment } from "./equipment.ts";
import { type Job, JobStopped } from "./job.ts";
import { type FinishedTask, runTask } from "./run-task.ts";

/**
 * Runs the tasks in their order, so many at a time. A task that never began because the job ended is in the answer
 * too, as what it is.
 */
export interface Dispatched {
  tasks: FinishedTask[];
  /** What Sheaf itself failed at; the tasks that were under way were still waited for. */
  thrown?: unknown;
}

/** Runs under way per thread when the job sets no concurrency: enough to keep a thread busy while others do IO. */
const runsPerThread = 2;

export async function dispatch(tasks: readonly Task[], job: Job, equipment: Equipment): Promise<Dispatched> {
  const width = job.spec.limits.concurrency ?? equipment.threads * runsPerThread;
  const finished = new Map<string, FinishedTask>();
  const queue = tasks.map((task) => ({ task, waiting: startWaiting(task, job) }));
  let thrown: { cause: unknown } | undefined;
  const work = async () => {
    for (let next = queue.shift(); next && !thrown; next = queue.shift()) {
      next.waiting.end();
      if (job.signal.aborted) continue;
      try {
        finished.set(next.task.id, await runTask(next.task, job, equipment));
      } catch (cause) {
        thrown ??= { cause };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, tasks.length) }, work));
  for (const { waiting } of queue) waiting.end({ status: "error", message: "never started" });
  const all = tasks.map((task) => finished.get(task.id) ?? neverStarted(task, job));
  return { tasks: all, ...(thrown ? { thrown: thrown.cause } : {}) };
}

function startWaiting(task: Task, job: Job) {
  const attributes = { [attribute.taskId]: task.id, [attribute.waitReason]: "slot" };
  return job.tracer.start(queueSpan(task.id), { parent: job.span, attributes });
}

function neverStarted(task: Task, job: Job): FinishedTask {
  const reason: unknown = job.signal.reason;
  const stopped = reason instanceof JobStopped ? reason : undefined;
  return {
    ...task,
    state: stopped?.outcome === "limit" ? "limit" : "cancelled",
    attempts: 0,
    filesChanged: 0,
    denials: [],
    ignored: [],
    submissions: [],
    failure: stopped?.failure ?? { code: "not_started", message: "the job ended before this task began" },
    usage: noUsage,
    traceparents: [],
  };
}
