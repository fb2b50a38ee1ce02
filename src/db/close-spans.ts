import type { JobId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import type { Database } from "./database.ts";
import { sql } from "./drizzle.ts";

/**
 * Ends, as errors, the spans of a job whose process is gone. When they really ended nobody saw: they end with the
 * last thing their job recorded. `but` is the id of the one that goes on; those of the runs in `going` go on elsewhere.
 */
export async function closeSpans(
  jobId: JobId,
  { reason, but = "", going = new Set() }: { reason: string; but?: string; going?: ReadonlySet<string> },
  database: Database,
): Promise<void> {
  const which = sql`s.job_id = ${jobId} and s.span_id <> ${but}
  and (s.run_id is null or s.run_id <> all(${sql.param([...going])}::uuid[]))`;
  const statement = closing(which, { reason, last: sql`job_id = ${jobId}` });
  await attempt("close the spans of an interrupted job", database, (orm) => orm.execute(statement));
}

/** The same of one run whose node has lost it, by who has claimed it and has begun no span yet. */
export async function closeSpansOfRun({ jobId, runId }: Pick<ClaimedRun, "jobId" | "runId">, database: Database) {
  const which = sql`s.job_id = ${jobId} and s.run_id = ${runId}`;
  const last = sql`job_id = ${jobId} and run_id = ${runId}`;
  const statement = closing(which, { reason: "the node that recorded it has lost the run", last });
  await attempt("close the spans of a lost run", database, (orm) => orm.execute(statement));
}

type Condition = ReturnType<typeof sql>;

function closing(which: Condition, { reason, last }: { reason: string; last: Condition }) {
  return sql`
update sheaf.spans s set
  status = 'error', status_message = ${reason}, attrs = s.attrs || '{"sheaf.orphan": true}'::jsonb,
  dur_ns = greatest(0, last.ns - s.start_ns)
from (select max(start_ns + coalesce(dur_ns, 0)) as ns from sheaf.spans where ${last}) last
where s.dur_ns is null and ${which}`;
}
