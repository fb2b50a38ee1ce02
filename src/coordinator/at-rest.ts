import type { StoredJob } from "../db/find-job.ts";
import { pausedAmong } from "../db/pauses.ts";
import type { JobId } from "../protocol/ids.ts";
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
  const ids = jobs.flatMap(({ id, state }) => (state === "running" ? [id] : []));
  if (ids.length === 0) return new Map();
  const elsewhere = ids.filter((id) => !running.has(id));
  const isAlone = database.kind === "pglite" || elsewhere.length === 0;
  const held = isAlone ? new Set<string>() : await heldJobs(elsewhere, database);
  const paused = await pausedAmong(ids, database);
  const stands = (id: JobId): AtRest | undefined => {
    const isWorkedOn = running.has(id) || held.has(id);
    if (paused.has(id)) return isWorkedOn ? "pausing" : "paused";
    return isWorkedOn ? undefined : "interrupted";
  };
  return new Map(
    ids.flatMap((id) => {
      const rest = stands(id);
      return rest ? [[id, rest] as const] : [];
    }),
  );
}
