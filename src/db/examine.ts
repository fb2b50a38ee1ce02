import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import type { Addition } from "./append-facts.ts";
import { type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** Why an addition was left alone: it was in the log already, it lost its place, or it may never be written. */
export type Finding =
  | { is: "written" }
  /** The log goes on from another place; the same owner moved it. */
  | { is: "moved"; head: number }
  | { is: "refused"; fault: Fault };

const state = z.object({
  place: z.coerce.number(),
  id: z.string(),
  epoch: z.coerce.number(),
  head: z.coerce.number(),
  state: z.string(),
  found: z.string().nullable(),
});

/**
 * Tells a lost acknowledgement from a fence. The same event id at the expected place means that the commit had
 * succeeded; only a changed epoch (or a finished run) ends an owner's right to append.
 */
export async function examine(additions: readonly Addition[], orm: Orm): Promise<Finding[]> {
  const rows = await rowsOf(
    orm,
    sql`
select w.place, r.id, r.epoch, r.head, r.state, e.id as found
from unnest(${sql.param(additions.map((each) => each.runId))}::uuid[],
  ${sql.param(additions.map((each) => each.head + 1))}::bigint[]) with ordinality as w(run_id, seq, place)
join sheaf.runs r on r.id = w.run_id
left join sheaf.events e on e.run_id = w.run_id and e.seq = w.seq`,
    state,
  );
  // Two owners of one run may be among them.
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  return additions.map((addition, index) => verdict(addition, byPlace.get(index + 1)));
}

function verdict(addition: Addition, run: z.infer<typeof state> | undefined): Finding {
  const first = addition.rows[0];
  if (!run) return { is: "refused", fault: missing(addition) };
  if (first && run.found === first.id) return { is: "written" };
  if (run.epoch !== addition.epoch) return { is: "refused", fault: fenced(addition, run.epoch) };
  if (["succeeded", "failed", "cancelled"].includes(run.state)) {
    return { is: "refused", fault: new Fault("conflict", `run ${run.id} has ${run.state}; its log is closed`) };
  }
  return { is: "moved", head: run.head };
}

/** A run that is not there is one that nobody has made, or that its caller had no right to make any more. */
function missing({ runId, also = [] }: Addition): Fault {
  if (!also.some(({ opens }) => opens)) return new Fault("conflict", `run ${runId} does not exist`);
  return new Fault("fenced", `run ${runId} was not opened: what it is part of was taken over`, {
    remedy: "stop; the new owner carries the job on from its log",
  });
}

/** The Fault of an owner whose run another one has claimed since. */
export function fenced(run: { runId: string; epoch: number }, epoch: number): Fault {
  return new Fault("fenced", `run ${run.runId} was taken over: epoch ${run.epoch} ended, ${epoch} is current`, {
    remedy: "stop; the new owner carries the run on from its log",
  });
}
