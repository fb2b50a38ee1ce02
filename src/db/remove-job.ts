import type { JobId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, eq } from "./drizzle.ts";
import { events, jobs, spans } from "./schema.ts";

/**
 * Takes a finished job out of the database with its runs, tasks, events, spans, requests and questions. What was spent
 * stays in the books. `beside` removes what lies elsewhere; it runs while the job's row is locked, so that nobody takes the
 * job up again meanwhile, and where it throws nothing is removed. Returns false for a job that is not finished, or gone.
 */
export function removeJob(id: JobId, beside: () => Promise<void>, database: Database): Promise<boolean> {
  return attempt("remove a job", database, (orm) =>
    orm.transaction(async (own) => {
      const wanted = and(eq(jobs.runId, id), eq(jobs.state, "finished"));
      const [found] = await own.select({ id: jobs.runId }).from(jobs).where(wanted).for("update");
      if (!found) return false;
      await beside();
      await own.delete(spans).where(eq(spans.jobId, id));
      await own.delete(events).where(eq(events.jobId, id));
      await own.delete(jobs).where(eq(jobs.runId, id));
      return true;
    }),
  );
}
