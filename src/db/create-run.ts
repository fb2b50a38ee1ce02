import { type Clock, type JobId, newUuid, type RunId, type TaskId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { runs } from "./schema.ts";

export interface NewRun {
  jobId: JobId;
  parentId: RunId;
  taskId: TaskId;
  /** Index of the task's step, from 0. */
  step: number;
  /** From 1. */
  attempt: number;
  /** Default `agent`. */
  kind?: "agent" | "command";
}

/** Stores runs of tasks, `queued` and with empty logs; returns their ids in the order given. */
export async function createRuns(wanted: readonly NewRun[], clock: Clock, database: Database): Promise<RunId[]> {
  const createdAt = new Date(clock.now());
  const rows = wanted.map((run) => ({
    kind: "agent" as const,
    ...run,
    id: newUuid(clock),
    state: "queued" as const,
    epoch: 0,
    head: 0,
    createdAt,
  }));
  for (let start = 0; start < rows.length; start += batch) {
    const some = rows.slice(start, start + batch);
    await attempt("create runs", database, (orm) => orm.insert(runs).values(some).onConflictDoNothing());
  }
  return rows.map((row) => row.id as RunId);
}

const batch = 500;
