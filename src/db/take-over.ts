import { z } from "zod";
import type { JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

const row = z.object({ id: z.string(), epoch: z.coerce.number(), head: z.coerce.number() });

/**
 * Takes all runs of a job that nobody ended, beside its root run and those that any node does (spread-runs.ts), from
 * whoever had them: from then on their old owner can append to none of them any more, and opens none beside them. The
 * caller owns the root run. `isAll`: those as well, because nobody waits for them any more.
 */
export async function takeOverRuns(
  jobId: JobId,
  owner: string,
  database: Database,
  { isAll = false }: { isAll?: boolean } = {},
): Promise<ReadonlyMap<string, ClaimedRun>> {
  const taken = new Map<string, ClaimedRun>();
  for (let isMore = true; isMore; ) {
    // One whose parent was being taken is not seen by the same statement: there may be more until one finds none.
    const statement = sql`
update sheaf.runs set epoch = epoch + 1, owner = ${owner}, state = 'running'
where job_id = ${jobId} and kind <> 'root' and state in ('queued', 'running', 'waiting') and (${isAll} or spec is null)
  and id <> all(${sql.param([...taken.keys()])}::uuid[])
returning id, epoch, head`;
    const rows = await attempt("take over the runs of a job", database, (orm) => rowsOf(orm, statement, row));
    for (const { id, epoch, head } of rows) taken.set(id, { runId: id as RunId, jobId, epoch, head });
    isMore = rows.length > 0;
  }
  return taken;
}
