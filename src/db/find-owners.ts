import { z } from "zod";
import type { JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** The run that a workspace was made for, and its job. */
export interface WorkspaceOwner {
  runId: RunId;
  taskId: string | null;
  jobId: JobId;
  handle: string;
  repository: string;
  isOver: boolean;
}

/** By the id of the run; one that the database does not have is absent. */
export function workspaceOwners(runIds: readonly string[], database: Database): Promise<Map<string, WorkspaceOwner>> {
  const asked = sql`
select r.id, r.task_id, j.run_id as job_id, j.handle, j.repository, j.state = 'finished' as is_over
from sheaf.runs r join sheaf.jobs j on j.run_id = r.job_id
where r.id = any(${sql.param([...runIds])}::uuid[])`;
  return attempt("read runs", database, async (orm) => {
    const rows = await rowsOf(orm, asked, owner);
    return new Map(rows.map((row) => [row.id, ownerOf(row)]));
  });
}

const owner = z.object({
  id: z.string(),
  task_id: z.string().nullable(),
  job_id: z.string(),
  handle: z.string(),
  repository: z.string(),
  is_over: z.boolean(),
});

function ownerOf({ id, task_id, job_id, handle, repository, is_over }: z.infer<typeof owner>): WorkspaceOwner {
  return { runId: id as RunId, taskId: task_id, jobId: job_id as JobId, handle, repository, isOver: is_over };
}

/** Claims of jobs that have not finished: who says that he works on them. */
export function jobClaims(database: Database): Promise<{ handle: string; owner: string | null }[]> {
  const asked = sql`
select j.handle, r.owner from sheaf.jobs j left join sheaf.runs r on r.id = j.run_id
where j.state is distinct from 'finished' order by j.created_at limit 1000`;
  const row = z.object({ handle: z.string(), owner: z.string().nullable() });
  return attempt("read jobs", database, (orm) => rowsOf(orm, asked, row));
}

/** The repositories of all jobs, as paths. */
export function repositoriesOfJobs(database: Database): Promise<string[]> {
  const asked = sql`select distinct repository from sheaf.jobs`;
  return attempt("read jobs", database, async (orm) =>
    (await rowsOf(orm, asked, z.object({ repository: z.string() }))).map(({ repository }) => repository),
  );
}
