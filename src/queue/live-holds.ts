import { z } from "zod";
import { attempt } from "../db/attempt.ts";
import { type Database, rowsOf } from "../db/database.ts";
import { sql } from "../db/drizzle.ts";
import type { JobId } from "../protocol/ids.ts";

/**
 * Which of these jobs some node holds at this moment, by the clock of the database; one whose lease has run out is held
 * by nobody. Only looks: it may be another's a moment later.
 */
export function heldJobs(ids: readonly JobId[], database: Database): Promise<ReadonlySet<string>> {
  const asked = sql`
select singleton_key as id from sheaf_queue.job_common
where name = 'jobs' and singleton_key = any(${sql.param([...ids])}::text[]) and state = 'active'
  and heartbeat_on + heartbeat_seconds * interval '1 second' >= clock_timestamp()`;
  return attempt("look who has a job", database, async (orm) => {
    const rows = await rowsOf(orm, asked, z.object({ id: z.string() }));
    return new Set(rows.map(({ id }) => id));
  });
}
