import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import type { TaskId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** Notes down that these are part of the job's result. Throws Fault `fenced` when the root run has a new owner. */
export async function recordLanded(
  root: Pick<ClaimedRun, "runId" | "epoch">,
  ids: readonly TaskId[],
  database: Database,
): Promise<void> {
  if (ids.length === 0) return;
  const statement = sql`
update sheaf.tasks as t set landed = true
from sheaf.runs r
where t.job_id = ${root.runId} and t.id = any(${sql.param(ids)}::text[]) and r.id = ${root.runId}
  and r.epoch = ${root.epoch}
returning t.id`;
  const changed = await attempt("record what landed", database, (orm) =>
    rowsOf(orm, statement, z.object({ id: z.string() })),
  );
  if (changed.length < ids.length)
    throw new Fault("fenced", "the tasks are not ours to record: their job has a new owner");
}
