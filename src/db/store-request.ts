import { z } from "zod";
import { type Clock, newUuid, type RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, eq, inArray, isNull, sql } from "./drizzle.ts";
import { requests, runs } from "./schema.ts";

/** What somebody outside asks of a run. Whoever owns the run takes it and acts; nobody else does. */
export type RunRequest = { runId: RunId } & Asked;

/** As it is stored. */
const cancelling = z.object({ why: z.string() });
const steering = z.object({ text: z.string(), task: z.string().optional() });

type Asked =
  /** Why, in words; for the result. */
  | ({ kind: "cancel" } & z.infer<typeof cancelling>)
  /** Lays the job aside, and goes on with it; the newest of the two counts (pauses.ts). */
  | { kind: "pause" }
  | { kind: "resume" }
  /** To the agents of one task, or of all; without secrets. */
  | ({ kind: "steer" } & z.infer<typeof steering>);

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
      const { runId, kind, ...body } = request;
      await transaction.insert(requests).values({ id, runId, kind, body, at }).onConflictDoNothing();
      return true;
    }),
  );
}

/** The open requests to these runs in the order they came, marked as taken: each is answered to one caller, once. */
export async function takeRequests(runIds: readonly RunId[], clock: Clock, database: Database): Promise<RunRequest[]> {
  if (runIds.length === 0) return [];
  const takenAt = new Date(clock.now());
  let isRepeated = false;
  const rows = await attempt("take requests", database, (orm) => {
    // Budgets are asked for in rows of their own (spend-asks.ts).
    const open = sql`(${isNull(requests.takenAt)} and kind <> 'spend')`;
    // After a lost acknowledgement it finds its own work.
    const these = isRepeated ? sql`(${open} or ${eq(requests.takenAt, takenAt)})` : open;
    isRepeated = true;
    return orm
      .update(requests)
      .set({ takenAt })
      .where(and(inArray(requests.runId, [...runIds]), these))
      .returning({ id: requests.id, runId: requests.runId, kind: requests.kind, body: requests.body, at: requests.at });
  });
  const inOrder = rows.toSorted((one, other) => Number(one.at) - Number(other.at) || (one.id < other.id ? -1 : 1));
  return inOrder.map(({ runId, kind, body }) => ({ runId: runId as RunId, ...readBody(kind, body) }));
}

function readBody(kind: Asked["kind"], body: unknown): Asked {
  if (kind === "cancel") return { kind, ...cancelling.parse(body) };
  if (kind !== "steer") return { kind };
  const { text, task } = steering.parse(body);
  return { kind, text, ...(task === undefined ? {} : { task }) };
}

/** What was said to a run's agents and taken, in order: whoever took it may be gone since, and it with them. */
export async function findSaid(runId: RunId, database: Database): Promise<z.infer<typeof steering>[]> {
  const taken = and(eq(requests.runId, runId), eq(requests.kind, "steer"), sql`${requests.takenAt} is not null`);
  const rows = await attempt("look for requests", database, (orm) =>
    orm.select({ body: requests.body }).from(requests).where(taken).orderBy(requests.at, requests.id),
  );
  return rows.map(({ body }) => steering.parse(body));
}

/** Whether somebody asked for the run's end, taken or not: whoever took it may be gone since. */
export async function wasAskedToCancel(runId: RunId, database: Database): Promise<boolean> {
  const [row] = await attempt("look for requests", database, (orm) =>
    orm
      .select({ id: requests.id })
      .from(requests)
      .where(and(eq(requests.runId, runId), eq(requests.kind, "cancel")))
      .limit(1),
  );
  return row !== undefined;
}
