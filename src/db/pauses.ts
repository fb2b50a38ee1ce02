import { z } from "zod";
import type { JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/**
 * Which jobs are to rest. The newest request of the two kinds counts, whether or not somebody has taken it: whoever took
 * it may be gone, and the job rests all the same.
 */
export async function pausedAmong(ids: readonly JobId[], database: Database): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const asked = sql`
select id from (
  select distinct on (run_id) run_id as id, kind from sheaf.requests
  where run_id = any(${sql.param([...ids])}::uuid[]) and kind in ('pause', 'resume')
  order by run_id, at desc, id desc
) newest where kind = 'pause'`;
  const rows = await attempt("look for pauses", database, (orm) => rowsOf(orm, asked, z.object({ id: z.string() })));
  return new Set(rows.map(({ id }) => id));
}

/** When it was told to go on, in milliseconds since the epoch, oldest first. */
export async function resumedAt(runId: RunId, database: Database): Promise<number[]> {
  const asked = sql`
select (extract(epoch from at) * 1000)::float8 as ms from sheaf.requests
where run_id = ${runId} and kind = 'resume' order by at, id`;
  const rows = await attempt("look for pauses", database, (orm) => rowsOf(orm, asked, z.object({ ms: z.number() })));
  return rows.map(({ ms }) => ms);
}
