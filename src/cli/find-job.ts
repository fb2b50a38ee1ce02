import type { Database } from "../db/database.ts";
import { findJob } from "../db/find-job.ts";
import { Fault } from "../protocol/failure.ts";

/** The job that an id, a handle such as `name-7`, or `last` names. Throws Fault `unknown_job`. */
export async function requireJob(name: string, database: Database) {
  const job = await findJob(name, database);
  if (job) return job;
  const what = name === "last" ? "there is no job yet" : `there is no job ${JSON.stringify(name)}`;
  throw new Fault("unknown_job", what, { remedy: "sheaf list shows them all" });
}
