import { z } from "zod";
import { addUsage, type Consequences, endings, noteTasks, openRuns } from "./consequences.ts";
import { type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** A fact ready for the log: identified, and already text, so that appending it twice writes the same bytes. */
export interface Row {
  id: string;
  type: string;
  data: string;
  spanId: string | null;
  at: Date;
}

/** Facts for the log of one run, to follow the fact at `head`, by the owner of that epoch. */
export interface Addition {
  runId: string;
  epoch: number;
  head: number;
  rows: readonly Row[];
  /** What follows from them. */
  also?: readonly Consequences[];
}

/**
 * Appends to the logs of many runs in one statement, and returns the indexes of those it did append.
 * A run is left alone, whole, unless its epoch and head are as given and it has not finished: that is the fence.
 * A job's `pos` is counted under the lock of its row, so it rises in commit order and a reader never skips one.
 */
export async function appendFacts(additions: readonly Addition[], orm: Orm): Promise<Set<number>> {
  const rows = additions.flatMap(({ head, rows: own }, owner) =>
    own.map((row, index) => ({ ...row, owner, nth: index + 1, seq: head + index + 1 })),
  );
  const list = <T>(values: readonly T[]) => sql.param(values);
  const following = additions.map(({ runId, also = [] }) => ({ runId, also }));
  const opened = openRuns(following);
  const ends = endings(following);
  const done = await rowsOf(
    orm,
    sql`
with wanted as (
  select * from unnest(${list(additions.map((each) => each.runId))}::uuid[],
    ${list(additions.map((each) => each.epoch))}::int[], ${list(additions.map((each) => each.head))}::bigint[],
    ${list(additions.map((each) => each.rows.length))}::int[])
    with ordinality as w(run_id, epoch, head, count, place)
), ${opened ?? sql``}fenced as (
  update sheaf.runs as r set head = w.head + w.count${ends ? endOf : sql``}
  from wanted w${ends ?? sql``}
  where r.id = w.run_id and r.epoch = w.epoch and r.head = w.head and r.state in ('queued', 'running', 'waiting')${opened ? parentsFirst : sql``}
  returning r.id, r.job_id, r.epoch, w.count, w.place - 1 as owner
), owned as (
  select * from fenced${opened ? began : sql``}
), counted as (
  update sheaf.jobs as j set head = j.head + c.count
  from (select job_id, sum(count) as count from owned group by job_id) as c
  where j.run_id = c.job_id
  returning j.run_id as job_id, j.head - c.count as before
), placed as (
  select f.*, c.before - f.count + sum(f.count) over (partition by f.job_id order by f.owner) as start
  from owned f join counted c on c.job_id = f.job_id
), written as (
  insert into sheaf.events (run_id, seq, job_id, pos, id, type, data, epoch, span_id, at)
  select p.id, n.seq, p.job_id, p.start + n.nth, n.id, n.type, n.data, p.epoch, n.span_id, to_timestamp(n.at_ms / 1000)
  from unnest(${list(rows.map((row) => row.owner))}::int[], ${list(rows.map((row) => row.nth))}::int[],
    ${list(rows.map((row) => row.seq))}::bigint[], ${list(rows.map((row) => row.id))}::uuid[],
    ${list(rows.map((row) => row.type))}::text[], ${list(rows.map((row) => row.data))}::json[],
    ${list(rows.map((row) => row.spanId))}::text[], ${list(rows.map((row) => row.at.getTime()))}::float8[])
    as n(owner, nth, seq, id, type, data, span_id, at_ms)
  join placed p on p.owner = n.owner
)${addUsage(following) ?? sql``}${noteTasks(following) ?? sql``}
select owner from owned`,
    z.object({ owner: z.coerce.number() }),
  );
  return new Set(done.map((row) => row.owner));
}

const endOf = sql`, state = coalesce(e.state, r.state), failure = coalesce(e.failure, r.failure),
    finished_at = coalesce(to_timestamp(e.at_ms / 1000), r.finished_at)`;

/** A row that a statement has changed it can lock no more, and parents are often among those that it appends to. */
const parentsFirst = sql` and (select count(*) from parents) >= 0`;

/** What a statement inserts it does not see: new runs are taken from what their insert returned. */
const began = sql`
  union all
  select o.id, o.job_id, o.epoch, w.count, w.place - 1 from opened o join wanted w on w.run_id = o.id`;
