import type { Fact } from "../protocol/event.ts";
import type { Failure } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import type { Outcome } from "../protocol/outcome.ts";
import { appendLast } from "./append-last.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import type { Database, Orm } from "./database.ts";
import { and, eq } from "./drizzle.ts";
import { factRows } from "./fact-rows.ts";
import { jobs, runs } from "./schema.ts";

export interface JobEnd {
  outcome: Outcome;
  /** The `sheaf.result/v1` document. */
  result: Readonly<Record<string, unknown>>;
  failure?: Failure | undefined;
  /** The last facts of the job's log; `job.finished` is the last of them. */
  facts: readonly Fact[];
  /** Part of the same transaction, which may be repeated. */
  within?: ((orm: Orm) => Promise<void>) | undefined;
}

/**
 * Ends a job: last facts, state of its root run, outcome and result in one transaction.
 * Throws Fault `fenced` when the root run has a new owner, `conflict` when the job is over already.
 */
export async function finishJob(
  root: Pick<ClaimedRun, "runId" | "epoch">,
  end: JobEnd,
  clock: Clock,
  database: Database,
): Promise<void> {
  const rows = factRows(end.facts, clock);
  const finishedAt = new Date(clock.now());
  await attempt("finish a job", database, (orm) =>
    orm.transaction(async (transaction) => {
      if (!(await appendLast(root, rows, transaction))) return;
      await transaction
        .update(runs)
        .set({ state: rootState(end.outcome), failure: end.failure ?? null, finishedAt })
        .where(and(eq(runs.id, root.runId), eq(runs.epoch, root.epoch)));
      await transaction
        .update(jobs)
        .set({ state: "finished", outcome: end.outcome, result: end.result, finishedAt })
        .where(eq(jobs.runId, root.runId));
      await end.within?.(transaction);
    }),
  );
}

/** A root run has failed only when Sheaf did; a job whose checks are red was run to its end. */
function rootState(outcome: Outcome): "succeeded" | "failed" | "cancelled" {
  if (outcome === "cancelled") return "cancelled";
  return outcome === "error" ? "failed" : "succeeded";
}
