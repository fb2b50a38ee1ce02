import type { JobId } from "../protocol/ids.ts";
import type { Task } from "../protocol/task.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { tasks } from "./schema.ts";

const batch = 500;

/** Stores a job's tasks as not begun. Tasks that are stored already stay as they are. */
export async function createTasks(
  jobId: JobId,
  planned: readonly Pick<Task, "id" | "ordinal" | "title">[],
  database: Database,
): Promise<void> {
  for (let start = 0; start < planned.length; start += batch) {
    const rows = planned
      .slice(start, start + batch)
      .map(({ id, ordinal, title }) => ({ jobId, id, ordinal, title, landed: false }));
    await attempt("store the tasks", database, (orm) => orm.insert(tasks).values(rows).onConflictDoNothing());
  }
}
