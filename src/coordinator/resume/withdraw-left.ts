import type { ClaimedRun } from "../../db/claim-run.ts";
import { findSettledOf } from "../../db/find-approval.ts";
import { withdrawApprovals } from "../../db/settle-approval.ts";
import type { Event, Fact } from "../../protocol/event.ts";
import type { JobId, RunId } from "../../protocol/ids.ts";
import { resolvedFact } from "../approvals/approval-decision.ts";
import type { Equipment } from "../equipment.ts";

/**
 * Withdraws what a job, or a run of it, asked, as nobody will act on an answer; not what runs in `except` asked, which go
 * on. Returns what is to be logged: of every question that waits no longer and of which `events` does not say so. A
 * process may have gone between the two.
 */
export async function withdrawLeft(
  { of, by, events, except = [] }: Left,
  { clock, database }: Pick<Equipment, "clock" | "database">,
): Promise<Fact[]> {
  await withdrawApprovals({ ...of, by }, clock, database, except);
  const resolved = new Set(
    events.flatMap((event) => (event.type === "approval.resolved" ? [event.data.approval_id] : [])),
  );
  const settled = await findSettledOf(of, database);
  return settled.filter(({ id, runId }) => !resolved.has(id) && !except.includes(runId)).map(resolvedFact);
}

interface Left {
  of: { jobId: JobId } | { runId: RunId };
  by: ClaimedRun;
  events: readonly Event[];
  except?: readonly string[];
}
