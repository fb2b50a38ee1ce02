import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import type { JobId, RunId } from "../protocol/ids.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import { attempt } from "./attempt.ts";
import { type Database, type Orm, rowsOf } from "./database.ts";
import { factRows } from "./fact-rows.ts";
import { events, jobs, runs } from "./schema.ts";

export interface NewJob {
  /** Made by the caller, who needs it for the job's trace before the job is stored; a new one when absent. */
  id?: JobId;
  spec: JobSpec;
  /** sha256 of the job as it was written. */
  specSha: string;
  traceId: string;
}

/** A job's id is the id of its root run. The run is `queued`; its log starts with `job.created`. */
export interface CreatedJob {
  jobId: JobId;
  runId: RunId;
  /** What people type: `name-7`. */
  handle: string;
}

/** Stores the job, its root run and the first fact of its log, or none of them. */
export async function createJob(job: NewJob, clock: Clock, database: Database): Promise<CreatedJob> {
  const id = job.id ?? newUuid(clock);
  const handle = await attempt("create a job", database, (orm) =>
    orm.transaction(async (transaction) => {
      const [already] = await transaction.select({ handle: jobs.handle }).from(jobs).where(eq(jobs.runId, id));
      return already?.handle ?? (await insert(id, job, clock, transaction));
    }),
  );
  return { jobId: id as JobId, runId: id as RunId, handle };
}

async function insert(id: string, job: NewJob, clock: Clock, transaction: Orm): Promise<string> {
  const handle = await nextHandle(job.spec.name, transaction);
  const createdAt = new Date(clock.now());
  await transaction.insert(jobs).values({
    runId: id,
    handle,
    name: job.spec.name,
    specSha: job.specSha,
    baseCommit: job.spec.base.commit,
    repository: job.spec.base.repository,
    state: "running",
    traceId: job.traceId,
    head: 1,
    createdAt,
  });
  const root = { id, jobId: id, step: 0, attempt: 1, kind: "root", state: "queued" } as const;
  await transaction.insert(runs).values({ ...root, epoch: 0, head: 1, createdAt });
  const created = factRows([{ type: "job.created", data: { handle, spec: job.spec } }], clock);
  for (const row of created) {
    const data = sql`${row.data}::json`;
    await transaction.insert(events).values({ ...row, runId: id, seq: 1, jobId: id, pos: 1, data, epoch: 0 });
  }
  return handle;
}

/** The counter's row stays locked until the transaction ends, so two jobs never get one number. */
async function nextHandle(name: string, transaction: Orm): Promise<string> {
  const stem = stemOf(name);
  const [row] = await rowsOf(
    transaction,
    sql`insert into sheaf.handles (name, last) values (${stem}, 1)
      on conflict (name) do update set last = handles.last + 1 returning last`,
    z.object({ last: z.number() }),
  );
  return `${stem}-${row?.last}`;
}

/** A job's name as something to type without quotes. */
function stemOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/[^A-Za-z0-9._]+/g, "-");
  return (
    plain
      .replace(/^[-.]+/, "")
      .slice(0, 48)
      .replace(/[-.]+$/, "") || "job"
  );
}
