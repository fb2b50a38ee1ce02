import type { SQL } from "drizzle-orm";
import { type JobId, jobId } from "../protocol/ids.ts";
import { type Outcome, outcome } from "../protocol/outcome.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, desc, eq, sql } from "./drizzle.ts";
import { jobs } from "./schema.ts";

export interface StoredJob {
  id: JobId;
  handle: string;
  name: string;
  specSha: string;
  baseCommit: string;
  repository: string;
  state: "running" | "finished";
  outcome: Outcome | undefined;
  /** The `sheaf.result/v1` document; undefined until the job has finished. */
  result: unknown;
  traceId: string;
  /** How many facts the logs of its runs hold. */
  head: number;
  createdAt: Date;
  finishedAt: Date | undefined;
}

/** By id, by handle (`name-7`), or `last`: the newest. undefined when there is none. */
export async function findJob(reference: string, database: Database): Promise<StoredJob | undefined> {
  // No text of PostgreSQL holds it, and so no handle does.
  if (reference.includes("\0")) return undefined;
  const where = matching(reference);
  if (where === undefined) return (await listJobs({ limit: 1 }, database))[0];
  // A name has one job: to plan an order of one row takes the database a tenth of the whole question.
  const [row] = await attempt("read a job", database, (orm) => orm.select().from(jobs).where(where));
  return row && storedJob(row);
}

/** Newest first; `after` is the last job of the page before. */
export async function listJobs(
  {
    limit,
    after,
    state,
    name,
  }: {
    limit: number;
    after?: Pick<StoredJob, "id" | "createdAt"> | undefined;
    state?: StoredJob["state"];
    name?: string;
  },
  database: Database,
): Promise<StoredJob[]> {
  const older =
    after &&
    sql`(${jobs.createdAt}, ${jobs.runId}) < (${after.createdAt.toISOString()}::timestamptz, ${after.id}::uuid)`;
  const where = and(older, state && eq(jobs.state, state), name === undefined ? undefined : eq(jobs.name, name));
  return selectJobs({ where, limit }, database);
}

function matching(reference: string): SQL | undefined {
  if (reference === "last") return undefined;
  return jobId.safeParse(reference).success ? eq(jobs.runId, reference) : eq(jobs.handle, reference);
}

async function selectJobs(
  { where, limit }: { where: SQL | undefined; limit: number },
  database: Database,
): Promise<StoredJob[]> {
  const rows = await attempt("read jobs", database, (orm) =>
    orm.select().from(jobs).where(where).orderBy(desc(jobs.createdAt), desc(jobs.runId)).limit(limit),
  );
  return rows.map(storedJob);
}

function storedJob(found: typeof jobs.$inferSelect): StoredJob {
  const { runId, idempotencyKey: _key, requestSha: _sha, result, finishedAt, ...row } = found;
  return {
    ...row,
    id: runId as JobId,
    outcome: row.outcome === null ? undefined : outcome.parse(row.outcome),
    result: result ?? undefined,
    finishedAt: finishedAt ?? undefined,
  };
}
