import type { JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { eq } from "./drizzle.ts";
import { runs } from "./schema.ts";

/** A run as it is stored; undefined when there is none of that id. */
export async function findRun(id: RunId, database: Database) {
  const [row] = await attempt("read a run", database, (orm) => orm.select().from(runs).where(eq(runs.id, id)));
  return row && { ...row, id: row.id as RunId, jobId: row.jobId as JobId };
}

/** The runs that a run started, oldest first. */
export async function findStarted(id: RunId, database: Database): Promise<RunId[]> {
  const rows = await attempt("read a run", database, (orm) =>
    orm.select({ id: runs.id }).from(runs).where(eq(runs.parentId, id)).orderBy(runs.createdAt, runs.id),
  );
  return rows.map((row) => row.id as RunId);
}
