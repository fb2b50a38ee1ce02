import { type Event, fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, asc, eq, gt } from "./drizzle.ts";
import { events } from "./schema.ts";

/** Most events one call returns. A full page means that there may be more. */
export const eventPage = 500;

/** A run's log after `after` (0 for all of it), oldest first. Throws `database_newer` for a fact of a later version. */
export async function readRunEvents(runId: RunId, after: number, database: Database): Promise<Event[]> {
  const rows = await attempt("read events", database, (orm) =>
    orm
      .select()
      .from(events)
      .where(and(eq(events.runId, runId), gt(events.seq, after)))
      .orderBy(asc(events.seq))
      .limit(eventPage),
  );
  return rows.map(toEvent);
}

/**
 * The facts of all of a job's runs after position `after`, in the order in which they were committed. Positions are
 * gapless per job, so whoever carries on from the last one it saw misses nothing.
 */
export async function readJobEvents(
  jobId: JobId,
  after: number,
  database: Database,
): Promise<{ pos: number; event: Event }[]> {
  const rows = await attempt("read events", database, (orm) =>
    orm
      .select()
      .from(events)
      .where(and(eq(events.jobId, jobId), gt(events.pos, after)))
      .orderBy(asc(events.pos))
      .limit(eventPage),
  );
  return rows.map((row) => ({ pos: row.pos, event: toEvent(row) }));
}

/** The data is checked and then handed on as it was written, unknown keys included. */
function toEvent(row: typeof events.$inferSelect): Event {
  const written = { type: row.type, data: row.data };
  if (!isFact(written)) {
    throw new Fault(
      "database_newer",
      `event ${row.seq} of run ${row.runId} (${row.type}) is not one that this version knows`,
      { remedy: "use the version of Sheaf that wrote it, or a newer one" },
    );
  }
  const place = { run_id: row.runId, seq: row.seq, id: row.id, at: row.at.getTime() };
  return { ...written, ...place, ...(row.spanId === null ? {} : { span_id: row.spanId }) };
}

function isFact(written: { type: string; data: unknown }): written is Event {
  return fact.safeParse(written).success;
}
