import type { Coordinator } from "../coordinator/coordinator.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobView } from "../protocol/job-view.ts";

/** The job that an id, a handle such as `name-7`, or `last` names. Throws Fault `unknown_job`. */
export async function requireJob(name: string, coordinator: Coordinator): Promise<JobView> {
  const job = await coordinator.job(name);
  if (job) return job;
  const what = name === "last" ? "there is no job yet" : `there is no job ${JSON.stringify(name)}`;
  throw new Fault("unknown_job", what, { remedy: "sheaf list shows them all" });
}
