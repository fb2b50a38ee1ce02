import { storeRequest, takeRequests } from "../db/store-request.ts";
import { type JobId, type RunId, runId } from "../protocol/ids.ts";
import type { SubmittedJob } from "./coordinator.ts";
import type { Equipment } from "./equipment.ts";
import { endOfJob } from "./feed.ts";
import type { JobOrder, StartedJob } from "./submit.ts";

/**
 * The jobs that run in this process. What somebody asks of one is a row first: whoever owns the job takes it from there,
 * so that asking works the same from this process and from another one on the same database.
 */
export interface Running {
  readonly count: number;
  submit(order: JobOrder): Promise<SubmittedJob>;
  cancel(id: JobId, why?: { signal: "SIGINT" | "SIGTERM" }): Promise<void>;
  idle(): Promise<void>;
  stop(signal: "SIGINT" | "SIGTERM"): Promise<void>;
  close(): Promise<void>;
}

/** How often another process's requests are looked for. The embedded database has no other process. */
const lookMs = 1_000;

export function openRunning(equipment: Equipment, ring: (id: JobId) => void): Running {
  const { clock, database } = equipment;
  const jobs = new Map<JobId, StartedJob>();
  const look = async () => {
    const asked = await takeRequests([...jobs.keys()].map(rootOf), clock, database).catch(() => []);
    for (const request of asked) jobs.get(request.runId as string as JobId)?.cancel();
  };
  const timer = database.kind === "postgres" ? setInterval(() => void look(), lookMs) : undefined;
  timer?.unref();
  const idle = async () => {
    while (jobs.size > 0) await Promise.allSettled([...jobs.values()].map((job) => job.done));
  };
  return {
    get count() {
      return jobs.size;
    },
    async submit(order) {
      const onFact: JobOrder["onFact"] = (run, fact) => {
        order.onFact?.(run, fact);
        const id = told.id;
        if (id) ring(id);
      };
      const told: { id?: JobId } = {};
      // Loaded with the first job: looking at old ones needs nothing of what runs them.
      const { submit } = await import("./submit.ts");
      const taken = await submit({ ...order, onFact }, equipment).catch(async (thrown: unknown) => {
        await order.repository.close();
        throw thrown;
      });
      if ("earlier" in taken) {
        await order.repository.close();
        const { id, handle } = taken.earlier;
        // Looked for only by whoever waits for it.
        return {
          id,
          handle,
          isNew: false,
          get done() {
            return endOfJob(id, database);
          },
        };
      }
      const job = taken.started;
      told.id = job.id;
      jobs.set(job.id, job);
      const done = untilOver(job, async () => {
        jobs.delete(job.id);
        ring(job.id);
        await order.repository.close();
      });
      // Whoever submitted may look away; its end is in the log all the same.
      done.catch(() => {});
      return { id: job.id, handle: job.handle, isNew: true, done };
    },
    async cancel(id, why) {
      const job = jobs.get(id);
      const said = why?.signal ?? "request";
      const isOpen = await storeRequest({ runId: rootOf(id), kind: "cancel", why: said }, clock, database);
      if (job && isOpen) {
        await takeRequests([rootOf(id)], clock, database);
        job.cancel(why?.signal);
      }
    },
    idle,
    async stop(signal) {
      for (const job of jobs.values()) job.cancel(signal);
      await idle();
    },
    async close() {
      clearInterval(timer);
      await idle();
    },
  };
}

async function untilOver({ done }: StartedJob, leave: () => Promise<void>) {
  try {
    return await done;
  } finally {
    await leave();
  }
}

/** A job's id is the id of its root run. */
function rootOf(id: JobId): RunId {
  return runId.parse(id);
}
