import { z } from "zod";
import type { JobId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** What may be needed, and what is past its time. Only a job that has finished is ever past it, on whichever node. */

export interface ActiveJob {
  id: JobId;
  handle: string;
  createdAt: Date;
}

/** Whatever has not finished, of all nodes. */
export function activeJobs(database: Database): Promise<ActiveJob[]> {
  const asked = sql`
select run_id as id, handle, created_at from sheaf.jobs where state is distinct from 'finished' order by created_at`;
  const row = z.object({ id: z.string(), handle: z.string(), created_at: z.coerce.date() });
  return attempt("read jobs", database, async (orm) =>
    (await rowsOf(orm, asked, row)).map(({ id, handle, created_at }) => ({
      id: id as JobId,
      handle,
      createdAt: created_at,
    })),
  );
}

export interface ExpiredJob {
  id: JobId;
  handle: string;
  events: number;
  spans: number;
  /** Of its events and spans, as they lie in the database. */
  bytes: number;
}

/** Finished before that, and not among the newest so many. Oldest first. */
export function expiredJobs(
  { before, newest }: { before: Date; newest: number },
  database: Database,
): Promise<ExpiredJob[]> {
  const asked = sql`
select j.run_id as id, j.handle, e.events, e.bytes + s.bytes as bytes, s.spans
from sheaf.jobs j,
  lateral (select count(*) as events, coalesce(sum(pg_column_size(e.*)), 0) as bytes from sheaf.events e where e.job_id = j.run_id) e,
  lateral (select count(*) as spans, coalesce(sum(pg_column_size(s.*)), 0) as bytes from sheaf.spans s where s.job_id = j.run_id) s
where j.state = 'finished' and j.finished_at < ${before.toISOString()}::timestamptz
  and j.run_id not in (select run_id from sheaf.jobs order by created_at desc, run_id desc limit ${newest}::int)
order by j.finished_at`;
  const number = z.coerce.number();
  const row = z.object({ id: z.string(), handle: z.string(), events: number, spans: number, bytes: number });
  return attempt("read jobs", database, async (orm) =>
    (await rowsOf(orm, asked, row)).map((found) => ({ ...found, id: found.id as JobId })),
  );
}

/** Of these jobs, those that the database has. */
export function knownJobs(ids: readonly string[], database: Database): Promise<Map<string, "finished" | "active">> {
  const asked = sql`
select run_id as id, state = 'finished' as is_over from sheaf.jobs where run_id = any(${sql.param([...ids])}::uuid[])`;
  const row = z.object({ id: z.string(), is_over: z.boolean() });
  return attempt("read jobs", database, async (orm) => {
    const found = await rowsOf(orm, asked, row);
    return new Map(found.map(({ id, is_over }) => [id, is_over ? "finished" : "active"]));
  });
}
