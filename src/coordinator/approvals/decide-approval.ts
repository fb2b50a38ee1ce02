import { z } from "zod";
import { findApproval, listApprovals, type StoredApproval } from "../../db/find-approval.ts";
import { findJob } from "../../db/find-job.ts";
import { settleApproval } from "../../db/settle-approval.ts";
import type { ApprovalAnswer, ApprovalState, ApprovalView } from "../../protocol/approval.ts";
import { Fault } from "../../protocol/failure.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { Equipment } from "../equipment.ts";
import { approvalView } from "../view.ts";

/** Questions to people: looked at, and answered. The first answer counts, whoever gives it and in whichever process. */
export interface ApprovalQuery {
  /** Its id, its handle, or `last`. */
  job?: string | undefined;
  state?: ApprovalState | undefined;
  /** The first characters of an id. */
  prefix?: string | undefined;
  limit: number;
  after?: string | undefined;
}

export type Decided =
  /** It counts. */
  | { kind: "decided"; approval: ApprovalView }
  /** Somebody else's did, or it came too late; `approval` says which. */
  | { kind: "settled"; approval: ApprovalView }
  | { kind: "unknown" };

/** Newest first. Throws Fault `usage` for a cursor that no page gave, `unknown_job` for a job that is not there. */
export async function approvalsPage(
  { job, state, prefix, limit, after }: ApprovalQuery,
  { clock, database }: Equipment,
): Promise<{ approvals: ApprovalView[]; next?: string }> {
  const now = clock.now();
  if (prefix !== undefined && !/^[0-9a-f-]{1,36}$/.test(prefix)) return { approvals: [] };
  const last = after === undefined || !isUuid(after) ? undefined : await findApproval(after, database);
  if (after !== undefined && !last) {
    throw new Fault("usage", "the cursor is not one that a page of approvals gave", {
      remedy: "start from the first page",
    });
  }
  const wanted = {
    jobId: job === undefined ? undefined : await idOf(job, database),
    state,
    prefix,
    limit: limit + 1,
    after: last,
  };
  const rows = await listApprovals(wanted, now, database);
  const approvals = rows.slice(0, limit).map((row) => approvalView(row, now));
  const next = rows.length > limit ? approvals.at(-1)?.id : undefined;
  return { approvals, ...(next ? { next } : {}) };
}

async function idOf(reference: string, database: Equipment["database"]): Promise<JobId> {
  const job = await findJob(reference, database);
  if (job) return job.id;
  throw new Fault("unknown_job", `there is no job ${JSON.stringify(reference.slice(0, 100))}`, {
    remedy: "sheaf list shows them all",
  });
}

/** undefined: there is none of that id. */
export async function showApproval(id: string, { clock, database }: Equipment): Promise<ApprovalView | undefined> {
  const row = isUuid(id) ? await findApproval(id, database) : undefined;
  return row && approvalView(row, clock.now());
}

/** Stores the answer if it is the first; `tell` hears of it then. `by` is the name of whoever answers. */
export async function decideApproval(
  { id, answer, by }: { id: string; answer: ApprovalAnswer; by: string },
  tell: (approval: StoredApproval) => void,
  { clock, database, redact }: Equipment,
): Promise<Decided> {
  if (!isUuid(id)) return { kind: "unknown" };
  const { decision, remember = false } = answer;
  const note = answer.note === undefined ? undefined : redact(answer.note);
  const state = decision === "allow" ? "allowed" : "denied";
  const settled = await settleApproval(id, { state, remember, decidedBy: by, note }, clock, database);
  if (!settled) return { kind: "unknown" };
  if (settled.isFirst) tell(settled.approval);
  return { kind: settled.isFirst ? "decided" : "settled", approval: approvalView(settled.approval, clock.now()) };
}

function isUuid(id: string): boolean {
  return z.uuid().safeParse(id).success;
}
