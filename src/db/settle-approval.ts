import type { Clock, JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, eq, gt, inArray, sql } from "./drizzle.ts";
import { findApproval, type StoredApproval, storedApproval } from "./find-approval.ts";
import { approvals, runs } from "./schema.ts";

/** How a question ends: by an answer of somebody, or by the owner of its run, who waits no longer. */
export type Settlement =
  | { state: "allowed" | "denied"; remember: boolean; decidedBy: string; note?: string | undefined }
  | { state: "expired" | "withdrawn"; by: Owner };

/** Nothing that it ends is ended any more once its run, or its job, has a new owner. */
type Owner = { runId: RunId; epoch: number };

/**
 * The first settlement counts: it is an update of a row that is still pending, and an answer has to come before the
 * question expires. `isFirst` is false for all who come later, with the row as the first left it, and for an owner who
 * is none any more, with the row as it is. undefined: there is no such question.
 */
export async function settleApproval(
  id: string,
  settlement: Settlement,
  clock: Clock,
  database: Database,
): Promise<{ isFirst: boolean; approval: StoredApproval } | undefined> {
  const decidedAt = new Date(clock.now());
  const { state } = settlement;
  const isAnswer = state === "allowed" || state === "denied";
  const { remember = false, decidedBy = null, note = null } = isAnswer ? settlement : {};
  const values = { state, remember, decidedBy, note, decidedAt };
  const owned = "by" in settlement ? isOwner(settlement.by) : undefined;
  const open = and(eq(approvals.id, id), eq(approvals.state, "pending"), owned);
  let isRepeated = false;
  const updated = await attempt("settle an approval", database, async (orm) => {
    const mayBeDone = isRepeated;
    isRepeated = true;
    const [row] = await orm
      .update(approvals)
      .set(values)
      .where(isAnswer ? and(open, gt(approvals.expiresAt, decidedAt)) : open)
      .returning();
    if (row) return storedApproval(row);
    // After a lost acknowledgement it finds its own work.
    const [mine] = mayBeDone ? await orm.select().from(approvals).where(isOwn(id, values)) : [];
    return mine && storedApproval(mine);
  });
  if (updated) return { isFirst: true, approval: updated };
  const approval = await findApproval(id, database);
  return approval && { isFirst: false, approval };
}

function isOwner({ runId, epoch }: Owner) {
  return sql`exists (select from ${runs} where ${runs.id} = ${runId} and ${runs.epoch} = ${epoch})`;
}

function isOwn(id: string, { state, decidedAt }: { state: StoredApproval["state"]; decidedAt: Date }) {
  return and(eq(approvals.id, id), eq(approvals.state, state), eq(approvals.decidedAt, decidedAt));
}

/**
 * Ends the open questions of a job whose process is gone, or those of one run: nobody would act on an answer. Those of
 * `except` are left: these runs go on. `by`: nothing happens once that one is the owner no more.
 */
export async function withdrawApprovals(
  of: ({ jobId: JobId } | { runId: RunId }) & { by?: Owner },
  clock: Clock,
  database: Database,
  except: readonly string[] = [],
): Promise<StoredApproval[]> {
  const decidedAt = new Date(clock.now());
  const whose = "runId" in of ? eq(approvals.runId, of.runId) : eq(approvals.jobId, of.jobId);
  const others = except.length > 0 ? sql`not ${inArray(approvals.runId, [...except])}` : undefined;
  const open = eq(approvals.state, "pending");
  // After a lost acknowledgement it finds its own work.
  const own = and(eq(approvals.state, "withdrawn"), eq(approvals.decidedAt, decidedAt));
  let isRepeated = false;
  const rows = await attempt("withdraw approvals", database, (orm) => {
    const these = isRepeated ? sql`(${open} or ${own})` : open;
    isRepeated = true;
    return orm
      .update(approvals)
      .set({ state: "withdrawn", decidedAt })
      .where(and(whose, others, these, of.by && isOwner(of.by)))
      .returning();
  });
  return rows.map(storedApproval);
}
