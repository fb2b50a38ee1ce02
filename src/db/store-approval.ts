import type { Clock, TaskId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import type { Database } from "./database.ts";
import { and, eq, inArray } from "./drizzle.ts";
import { fenced } from "./examine.ts";
import { approvals, runs } from "./schema.ts";

/** A question to people, before anybody has seen it. `inputSha` is of the call's exact input, `expiresAt` in ms. */
export interface NewApproval {
  id: string;
  taskId: TaskId;
  callId: string;
  tool: string;
  input: string;
  inputSha: string;
  rule: string;
  source: string;
  reason: string;
  suggestion: string | null;
  expiresAt: number;
}

/** Stores the question, pending; its run waits from now on. Throws Fault `fenced` when the run has a new owner. */
export async function storeApproval(
  approval: NewApproval,
  { run, clock, database }: { run: ClaimedRun; clock: Clock; database: Database },
): Promise<void> {
  const { runId, jobId, epoch } = run;
  const at = new Date(clock.now());
  const expiresAt = new Date(approval.expiresAt);
  const row = { ...approval, runId, jobId, at, expiresAt, state: "pending" as const, remember: false };
  await attempt("ask for an approval", database, (orm) =>
    orm.transaction(async (transaction) => {
      const owned = and(eq(runs.id, runId), eq(runs.epoch, epoch), inArray(runs.state, ["running", "waiting"]));
      const waiting = await transaction.update(runs).set({ state: "waiting" }).where(owned).returning({ id: runs.id });
      if (waiting.length === 0) throw fenced(run, epoch + 1);
      await transaction.insert(approvals).values(row).onConflictDoNothing();
    }),
  );
}

/** The run goes on. Nothing happens to one that has a new owner. */
export async function resumeRun({ runId, epoch }: ClaimedRun, database: Database): Promise<void> {
  const own = and(eq(runs.id, runId), eq(runs.epoch, epoch), eq(runs.state, "waiting"));
  await attempt("resume a run", database, (orm) => orm.update(runs).set({ state: "running" }).where(own));
}
