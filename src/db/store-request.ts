import { type Clock, newUuid, type RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, eq, inArray, isNull } from "./drizzle.ts";
import { requests, runs } from "./schema.ts";

/** What somebody outside asks of a run. Whoever owns the run takes it and acts; nobody else does. */
export interface RunRequest {
  runId: RunId;
  kind: "cancel";
  /** Why, in words; for the result. */
  why: string;
}

/** Stores the request; false when the run is over, and nobody will take it. */
export async function storeRequest(request: RunRequest, clock: Clock, database: Database): Promise<boolean> {
  const id = newUuid(clock);
  const at = new Date(clock.now());
  return attempt("ask a run", database, (orm) =>
    orm.transaction(async (transaction) => {
      const open = inArray(runs.state, ["queued", "running", "waiting"]);
      const [run] = await transaction
        .select({ id: runs.id })
        .from(runs)
        .where(and(eq(runs.id, request.runId), open));
      if (!run) return false;
      const { runId, kind, why } = request;
      await transaction.insert(requests).values({ id, runId, kind, body: { why }, at }).onConflictDoNothing();
      return true;
    }),
  );
}

/** The open requests to these runs, marked as taken: each is answered to one caller, once. */
export async function takeRequests(
  runIds: readonly RunId[],
  clock: Clock,
  database: Database,
): Promise<{ runId: RunId; kind: "cancel" }[]> {
  if (runIds.length === 0) return [];
  const rows = await attempt("take requests", database, (orm) =>
    orm
      .update(requests)
      .set({ takenAt: new Date(clock.now()) })
      .where(and(inArray(requests.runId, [...runIds]), isNull(requests.takenAt)))
      .returning({ runId: requests.runId, kind: requests.kind }),
  );
  return rows.map((row) => ({ runId: row.runId as RunId, kind: row.kind }));
}
