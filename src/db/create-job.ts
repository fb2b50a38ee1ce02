import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import type { JobId, RunId } from "../protocol/ids.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import { attempt } from "./attempt.ts";
import { type Database, type Orm, rowsOf } from "./database.ts";
import { eq, sql } from "./drizzle.ts";
import { factRows } from "./fact-rows.ts";
import { events, jobs, runs } from "./schema.ts";

export interface NewJob {
  /** Made by the caller, who needs it for the job's trace before the job is stored; a new one when absent. */
  id?: JobId;
  spec: JobSpec;
  /** sha256 of the job as it was written. */
  specSha: string;
  traceId: string;
  /** What the client named its request by, and sha256 of the request. */
  idempotency?: { key: string; sha256: string } | undefined;
  /** Part of the same transaction, before it is stored; what it throws leaves the job unmade. */
  within?: ((orm: Orm) => Promise<void>) | undefined;
}

/** A job's id is the id of its root run. The run is `queued`; its log starts with `job.created`. */
export interface CreatedJob {
  jobId: JobId;
  runId: RunId;
  /** What people type: `name-7`. */
  handle: string;
  /** False when an earlier request of the same key made it. */
  isNew: boolean;
}

/**
 * Stores the job, its root run and the first fact of its log, or none of them. A request that was taken before answers
 * with the job it made then. Throws Fault `idempotency` when its key was used for another request.
 */
export async function createJob(job: NewJob, clock: Clock, database: Database): Promise<CreatedJob> {
  const id = job.id ?? newUuid(clock);
  const stored = await attempt("create a job", database, (orm) =>
    orm.transaction(async (transaction) => {
      const earlier = job.idempotency && (await earlierJob(job.idempotency, transaction));
      if (earlier && earlier.id !== id) return { ...earlier, isNew: false };
      const [already] = await transaction.select({ handle: jobs.handle }).from(jobs).where(eq(jobs.runId, id));
      if (already) return { id, handle: already.handle, isNew: true };
      await job.within?.(transaction);
      return { id, handle: await insert(id, job, clock, transaction), isNew: true };
    }),
  );
  return { jobId: stored.id as JobId, runId: stored.id as RunId, handle: stored.handle, isNew: stored.isNew };
}

/** Two requests of one key at the same time wait for each other here. */
async function earlierJob({ key, sha256 }: { key: string; sha256: string }, transaction: Orm) {
  await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`);
  return judged(key, sha256, transaction);
}

/** The job that an earlier request of this key made. Throws Fault `idempotency` where that request was another one. */
export async function findEarlier(asked: { key: string; sha256: string }, database: Database) {
  return attempt("look for an earlier request", database, (orm) => judged(asked.key, asked.sha256, orm));
}

async function judged(key: string, sha256: string, orm: Orm) {
  const [earlier] = await orm
    .select({ id: jobs.runId, handle: jobs.handle, sha256: jobs.requestSha })
    .from(jobs)
    .where(eq(jobs.idempotencyKey, key));
  if (earlier === undefined) return undefined;
  if (earlier.sha256 === sha256) return { id: earlier.id as JobId, handle: earlier.handle };
  throw new Fault("idempotency", `the idempotency key of job ${earlier.handle} came with another request`, {
    remedy: "use a new key for a new request, or repeat the request exactly",
  });
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
    idempotencyKey: job.idempotency?.key ?? null,
    requestSha: job.idempotency?.sha256 ?? null,
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
