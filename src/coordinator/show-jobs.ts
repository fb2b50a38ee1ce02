import { findJob, listJobs, type StoredJob } from "../db/find-job.ts";
import { findRun } from "../db/find-run.ts";
import { listTasks } from "../db/list-tasks.ts";
import { readRunEvents } from "../db/read-events.ts";
import { readTrace } from "../db/read-trace.ts";
import { Fault } from "../protocol/failure.ts";
import { jobId, runId } from "../protocol/ids.ts";
import { atRest } from "./at-rest.ts";
import type { Coordinator } from "./coordinator.ts";
import type { Equipment } from "./equipment.ts";
import type { Running } from "./running.ts";
import { jobView, runView, taskView } from "./view.ts";

/** What people and programs are shown of jobs, as they are stored and as they stand here. It changes nothing. */
export function showJobs(
  running: Running,
  equipment: Equipment,
): Pick<Coordinator, "jobs" | "job" | "tasks" | "run" | "runEvents" | "trace"> {
  const { database } = equipment;
  return {
    async jobs({ limit, after }) {
      const last = after === undefined ? undefined : await cursorOf(after, equipment);
      const rows = await listJobs({ limit: limit + 1, after: last }, database);
      const shown = rows.slice(0, limit);
      const resting = await atRest(shown, running, equipment);
      const jobs = shown.map((job) => jobView(job, resting.get(job.id)));
      const next = rows.length > limit ? jobs.at(-1)?.id : undefined;
      return { jobs, ...(next ? { next } : {}) };
    },
    job: async (reference) => {
      const job = await findJob(reference, database);
      return job && jobView(job, (await atRest([job], running, equipment)).get(job.id));
    },
    tasks: async (id) => (await listTasks(id, database)).map(taskView),
    async run(id) {
      const known = runId.safeParse(id);
      const run = known.success ? await findRun(known.data, database) : undefined;
      return run && runView(run);
    },
    runEvents: (id, after) => readRunEvents(id, after, database),
    trace: (id) => readTrace(id, database),
  };
}

/** A cursor is the id of the last job that was shown. */
async function cursorOf(after: string, { database }: Equipment): Promise<StoredJob> {
  const known = jobId.safeParse(after);
  const job = known.success ? await findJob(known.data, database) : undefined;
  if (job) return job;
  throw new Fault("usage", "the cursor is not one that a page of jobs gave", { remedy: "start from the first page" });
}
