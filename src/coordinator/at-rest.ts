import type { StoredJob } from "../db/find-job.ts";
import type { JobView } from "../protocol/job-view.ts";
import { heldJobs } from "../queue/live-holds.ts";
import type { Equipment } from "./equipment.ts";
import type { Running } from "./running.ts";

/**
 * Whether anybody works on a job. The database alone cannot say so: whose process died left it as `running`. The
 * embedded one has no process but this; among several, who works on a job holds its wake. It takes nothing up.
 */
export type AtRest = NonNullable<JobView["at_rest"]>;

/** By id; those that somebody works on, or that have finished, are absent. */
export async function atRest(
  jobs: readonly StoredJob[],
  running: Running,
  { database }: Pick<Equipment, "database">,
): Promise<ReadonlyMap<string, AtRest>> {
  const elsewhere = jobs.filter(({ id, state }) => state === "running" && !running.has(id));
  if (elsewhere.length === 0) return new Map();
  const ids = elsewhere.map(({ id }) => id);
  const held = database.kind === "pglite" ? new Set<string>() : await heldJobs(ids, database);
  return new Map(ids.filter((id) => !held.has(id)).map((id) => [id, "interrupted" as const]));
}
