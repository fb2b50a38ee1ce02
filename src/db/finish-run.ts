import type { Fact } from "../protocol/event.ts";
import type { Failure } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import { appendLast } from "./append-last.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import type { Database } from "./database.ts";
import { and, eq } from "./drizzle.ts";
import { factRows } from "./fact-rows.ts";
import { recordUsage, type UsedModel } from "./record-usage.ts";
import { runs } from "./schema.ts";

/**
 * Ends a run: its last facts, its state and what it used of a model, or none of them. The caller has waited for its other appends.
 * Throws Fault `fenced` when the run has a new owner, `conflict` when it is over already.
 */
export async function finishRun(
  run: Pick<ClaimedRun, "runId" | "epoch">,
  end: {
    state: "succeeded" | "failed" | "cancelled";
    failure?: Failure | undefined;
    facts: readonly Fact[];
    used?: UsedModel | undefined;
  },
  clock: Clock,
  database: Database,
): Promise<void> {
  const rows = factRows(end.facts, clock);
  const finishedAt = new Date(clock.now());
  await attempt("finish a run", database, (orm) =>
    orm.transaction(async (transaction) => {
      if (!(await appendLast(run, rows, transaction))) return;
      await transaction
        .update(runs)
        .set({ state: end.state, failure: end.failure ?? null, finishedAt })
        .where(and(eq(runs.id, run.runId), eq(runs.epoch, run.epoch)));
      if (end.used) await recordUsage(end.used, transaction);
    }),
  );
}
