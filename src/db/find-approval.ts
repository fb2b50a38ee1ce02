import type { ApprovalState } from "../protocol/approval.ts";
import { type JobId, type RunId, type TaskId, taskId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, desc, eq, inArray, sql } from "./drizzle.ts";
import { approvals } from "./schema.ts";

export interface StoredApproval extends Omit<typeof approvals.$inferSelect, "jobId" | "runId" | "taskId"> {
  jobId: JobId;
  runId: RunId;
  taskId: TaskId;
}

/** A question by its id; undefined when there is none. */
export async function findApproval(id: string, database: Database): Promise<StoredApproval | undefined> {
  const [row] = await attempt("read an approval", database, (orm) =>
    orm.select().from(approvals).where(eq(approvals.id, id)),
  );
  return row && storedApproval(row);
}

/** The questions about a call of a run, newest first: a model may give two calls the same id. */
export async function findQuestions(run: RunId, callId: string, database: Database): Promise<StoredApproval[]> {
  const rows = await attempt("read an approval", database, (orm) =>
    orm
      .select()
      .from(approvals)
      .where(and(eq(approvals.runId, run), eq(approvals.callId, callId)))
      .orderBy(desc(approvals.at), desc(approvals.id)),
  );
  return rows.map(storedApproval);
}

/** The answers that hold for the rest of a job, in the order in which they were given. */
export async function findRemembered(job: JobId, database: Database): Promise<StoredApproval[]> {
  const answered = inArray(approvals.state, ["allowed", "denied"]);
  const rows = await attempt("read approvals", database, (orm) =>
    orm
      .select()
      .from(approvals)
      .where(and(eq(approvals.jobId, job), approvals.remember, answered))
      .orderBy(approvals.decidedAt, approvals.id),
  );
  return rows.map(storedApproval);
}

export interface ApprovalFilter {
  jobId?: JobId | undefined;
  /** As it is at `now`: one that nobody answered in time has expired, whether or not its owner is there to say so. */
  state?: ApprovalState | undefined;
  /** Lower case hexadecimal digits and hyphens. */
  prefix?: string | undefined;
  limit: number;
  /** The last of the page before. */
  after?: Pick<StoredApproval, "id" | "at"> | undefined;
}

/** Newest first. */
export async function listApprovals(
  { jobId, state, prefix, limit, after }: ApprovalFilter,
  now: number,
  database: Database,
): Promise<StoredApproval[]> {
  const where = and(
    jobId && eq(approvals.jobId, jobId),
    state && isIn(state, new Date(now).toISOString()),
    prefix === undefined ? undefined : sql`${approvals.id}::text like ${`${prefix}%`}`,
    after && sql`(${approvals.at}, ${approvals.id}) < (${after.at.toISOString()}::timestamptz, ${after.id}::uuid)`,
  );
  const rows = await attempt("read approvals", database, (orm) =>
    orm.select().from(approvals).where(where).orderBy(desc(approvals.at), desc(approvals.id)).limit(limit),
  );
  return rows.map(storedApproval);
}

/** Those of these questions that wait no longer. */
export async function findSettled(ids: readonly string[], database: Database): Promise<StoredApproval[]> {
  if (ids.length === 0) return [];
  const settled = and(inArray(approvals.id, [...ids]), sql`${approvals.state} <> 'pending'`);
  const rows = await attempt("look for answers", database, (orm) => orm.select().from(approvals).where(settled));
  return rows.map(storedApproval);
}

/** Those of a job, or of a run, that wait no longer, in the order in which they were asked. */
export async function findSettledOf(
  of: { jobId: JobId } | { runId: RunId },
  database: Database,
): Promise<StoredApproval[]> {
  const whose = "runId" in of ? eq(approvals.runId, of.runId) : eq(approvals.jobId, of.jobId);
  const settled = and(whose, sql`${approvals.state} <> 'pending'`);
  const rows = await attempt("look for answers", database, (orm) =>
    orm.select().from(approvals).where(settled).orderBy(approvals.at, approvals.id),
  );
  return rows.map(storedApproval);
}

function isIn(state: ApprovalState, now: string) {
  const isLate = sql`(${approvals.state} = 'pending' and ${approvals.expiresAt} <= ${now}::timestamptz)`;
  if (state === "pending") return sql`(${approvals.state} = 'pending' and not ${isLate})`;
  return state === "expired" ? sql`(${approvals.state} = 'expired' or ${isLate})` : eq(approvals.state, state);
}

export function storedApproval(row: typeof approvals.$inferSelect): StoredApproval {
  return { ...row, jobId: row.jobId as JobId, runId: row.runId as RunId, taskId: taskId.parse(row.taskId) };
}
