import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import type { TaskId } from "../protocol/ids.ts";
import type { TaskState } from "../protocol/job-fact.ts";
import { attempt } from "./attempt.ts";
import type { ClaimedRun } from "./claim-run.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** What became of a task. What is left out keeps its value. */
export interface TaskRecord {
  state?: TaskState;
  resultTree?: string;
  resultCommit?: string;
}

/** Notes it down, on behalf of the job's root run. Throws Fault `fenced` when that run has a new owner. */
export async function recordTask(
  root: Pick<ClaimedRun, "runId" | "epoch">,
  id: TaskId,
  record: TaskRecord,
  database: Database,
): Promise<void> {
  const statement = sql`
update sheaf.tasks as t set
  state = coalesce(${record.state ?? null}, t.state),
  result_tree = coalesce(${record.resultTree ?? null}, t.result_tree),
  result_commit = coalesce(${record.resultCommit ?? null}, t.result_commit)
from sheaf.runs r
where t.job_id = ${root.runId} and t.id = ${id} and r.id = ${root.runId} and r.epoch = ${root.epoch}
returning t.id`;
  const changed = await attempt("record a task", database, (orm) =>
    rowsOf(orm, statement, z.object({ id: z.string() })),
  );
  if (changed.length === 0) throw new Fault("fenced", `task ${id} is not ours to record: its job has a new owner`);
}

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
