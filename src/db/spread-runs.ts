import { z } from "zod";
import type { FactData } from "../protocol/event.ts";
import { fact } from "../protocol/event.ts";
import type { JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** Runs that any node may do: whoever claims one has it, whoever has the job waits for its end. */

const id = z.object({ id: z.string() });

/** Those of a job that nobody has ended yet. */
export async function findSpread(jobId: JobId, database: Database): Promise<ReadonlySet<string>> {
  const asked = sql`
select id from sheaf.runs
where job_id = ${jobId} and spec is not null and state in ('queued', 'running', 'waiting')`;
  const rows = await attempt("look for runs elsewhere", database, (orm) => rowsOf(orm, asked, id));
  return new Set(rows.map((row) => row.id));
}

export interface EndedRun {
  id: string;
  finished: FactData<"run.finished">;
}

const ended = z.object({ id: z.string(), data: z.unknown() });

/** Which of these runs are over, with the last fact of each, in one statement for all. */
export async function findEnded(ids: readonly string[], database: Database): Promise<EndedRun[]> {
  if (ids.length === 0) return [];
  const asked = sql`
select r.id, e.data from sheaf.runs r join sheaf.events e on e.run_id = r.id and e.seq = r.head
where r.id = any(${sql.param([...ids])}::uuid[]) and r.state in ('succeeded', 'failed', 'cancelled')
  and e.type = 'run.finished'`;
  const rows = await attempt("look for runs that ended", database, (orm) => rowsOf(orm, asked, ended));
  return rows.flatMap((row) => {
    const read = fact.parse({ type: "run.finished", data: row.data });
    return read.type === "run.finished" ? [{ id: row.id, finished: read.data }] : [];
  });
}

const said = z.object({ run_id: z.string(), id: z.string(), text: z.string(), task: z.string().nullable() });
export type Said = z.infer<typeof said>;

/** What was said to the agents of these jobs and taken by their owners, in order; `run_id` is the job's. */
export async function findSaidTo(jobs: readonly RunId[], database: Database): Promise<Said[]> {
  if (jobs.length === 0) return [];
  const asked = sql`
select run_id, id, body->>'text' as text, body->>'task' as task from sheaf.requests
where run_id = any(${sql.param([...jobs])}::uuid[]) and kind = 'steer' and taken_at is not null order by at, id`;
  return attempt("look for requests", database, (orm) => rowsOf(orm, asked, said));
}

/** Which of these jobs are over. */
export async function findOver(jobs: readonly RunId[], database: Database): Promise<ReadonlySet<string>> {
  if (jobs.length === 0) return new Set();
  const asked = sql`
select run_id as id from sheaf.jobs
where run_id = any(${sql.param([...jobs])}::uuid[]) and state <> 'running'`;
  const rows = await attempt("look for jobs that ended", database, (orm) => rowsOf(orm, asked, id));
  return new Set(rows.map((row) => row.id));
}
