import { z } from "zod";
import type { JobId } from "../protocol/ids.ts";
import { type StoredSpan, storedSpan } from "../protocol/span.ts";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** All spans of a job, by start. They come as one cell, which the embedded database hands over six times faster. */
export async function readTrace(jobId: JobId, database: Database): Promise<StoredSpan[]> {
  const statement = sql`
select coalesce(json_agg(json_strip_nulls(json_build_object(
  'trace_id', trace_id, 'span_id', span_id, 'parent_span_id', parent_span_id, 'job_id', job_id, 'run_id', run_id,
  'name', name, 'kind', kind, 'status', status, 'status_message', status_message, 'start_ns', start_ns::text,
  'dur_ns', dur_ns::text, 'attributes', attrs, 'events', events, 'links', links)) order by start_ns, span_id),
  '[]'::json) as spans
from sheaf.spans where job_id = ${jobId}`;
  const [row] = await attempt("read a trace", database, (orm) => rowsOf(orm, statement, trace));
  return row?.spans ?? [];
}

// An open span's null was stripped with the others.
const trace = z.object({ spans: z.array(storedSpan.extend({ dur_ns: storedSpan.shape.dur_ns.default(null) })) });
