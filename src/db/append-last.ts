import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { appendFacts, type Row } from "./append-facts.ts";
import { type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";
import { fenced } from "./examine.ts";

const state = z.object({
  epoch: z.coerce.number(),
  head: z.coerce.number(),
  state: z.string(),
  is_written: z.boolean(),
});

/**
 * Appends the last facts of a run inside the transaction that ends it. Returns false when they are in the log already:
 * the transaction had committed and only its acknowledgement was lost.
 */
export async function appendLast(
  run: { runId: string; epoch: number },
  rows: readonly Row[],
  transaction: Orm,
): Promise<boolean> {
  const [found] = await rowsOf(
    transaction,
    sql`
select epoch, head, state,
  exists (select from sheaf.events where run_id = ${run.runId} and id = ${rows[0]?.id ?? null}) as is_written
from sheaf.runs where id = ${run.runId} for update`,
    state,
  );
  if (!found) throw new Fault("conflict", `run ${run.runId} does not exist`);
  if (found.is_written) return false;
  if (found.epoch !== run.epoch) throw fenced(run, found.epoch);
  const done = await appendFacts([{ ...run, head: found.head, rows }], transaction);
  if (done.size === 0) throw new Fault("conflict", `run ${run.runId} has ${found.state}; its log is closed`);
  return true;
}
