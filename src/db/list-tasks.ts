import type { JobId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { asc, eq } from "./drizzle.ts";
import { tasks } from "./schema.ts";

/** A job's tasks in their order; `state` is null until a task has ended. */
export async function listTasks(jobId: JobId, database: Database) {
  return attempt("read the tasks", database, (orm) =>
    orm.select().from(tasks).where(eq(tasks.jobId, jobId)).orderBy(asc(tasks.ordinal)),
  );
}
