import { randomBytes } from "node:crypto";
import { type Name, sql } from "drizzle-orm";
import { z } from "zod";
import { type Database, rowsOf } from "../../src/db/database.ts";
import type { JobId } from "../../src/protocol/ids.ts";

/** A finished job as it was stored, to be put back as if its process had ended earlier, as often as a test likes. */
export interface RecordedJob {
  /** Facts in the log of the run. */
  length: number;
  /** All as it was when that run had `seq` facts in its log, or those few more that came with the last of them. */
  cutAt(seq: number): Promise<void>;
  /** The same without that fact, and with all that was in other logs before it. */
  cutBefore(seq: number): Promise<void>;
}

const event = z.object({ pos: z.coerce.number(), run_id: z.string(), seq: z.coerce.number(), type: z.string() });

export async function recordJob(id: JobId, run: string, { orm }: Database): Promise<RecordedJob> {
  const kept = sql.identifier(`kept_${randomBytes(6).toString("hex")}`);
  const runs = sql.identifier(`kept_${randomBytes(6).toString("hex")}`);
  await orm.execute(sql`create table ${kept} as select * from sheaf.events where job_id = ${id}`);
  await orm.execute(sql`create table ${runs} as select * from sheaf.runs where job_id = ${id}`);
  const order = sql`select pos, run_id, seq, type from ${kept} order by pos`;
  const own = (await rowsOf(orm, order, event)).filter((each) => each.run_id === run);
  const cutAfter = async (last: number) => {
    for (const statement of cut(id, { last, kept, runs })) await orm.execute(statement);
  };
  const posOf = (seq: number) => own.find((each) => each.seq === seq)?.pos ?? 0;
  const typeOf = (seq: number) => own.find((each) => each.seq === seq)?.type;
  // What a call might not change is appended with its result: no log ends between the two.
  const endOfAppend = (seq: number): number =>
    typeOf(seq + 1) === "tool.denied" && ["tool.finished", "tool.denied"].includes(typeOf(seq) ?? "")
      ? endOfAppend(seq + 1)
      : seq;
  return {
    length: own.length,
    cutAt: (seq) => cutAfter(posOf(endOfAppend(seq))),
    cutBefore: (seq) => cutAfter(posOf(seq) - 1),
  };
}

/** What follows from the facts is made from them again; facts, runs and questions that came later are gone. */
function cut(id: JobId, { last, kept, runs }: { last: number; kept: Name; runs: Name }) {
  return [
    sql`delete from sheaf.events where job_id = ${id}`,
    sql`insert into sheaf.events select * from ${kept} where pos <= ${last}`,
    sql`delete from sheaf.runs where job_id = ${id}
      and not exists (select 1 from sheaf.events e where e.run_id = runs.id)`,
    sql`insert into sheaf.runs select * from ${runs} k
      where exists (select 1 from sheaf.events e where e.run_id = k.id)
      and not exists (select 1 from sheaf.runs r where r.id = k.id)`,
    sql`delete from sheaf.approvals where job_id = ${id}
      and not exists (select 1 from sheaf.events e where e.data->>'approval_id' = approvals.id::text)`,
    sql`update sheaf.approvals a set state = 'pending', remember = false, decided_by = null, decided_at = null
      where job_id = ${id} and not exists (select 1 from sheaf.events e
        where e.type = 'approval.resolved' and e.data->>'approval_id' = a.id::text)`,
    sql`update sheaf.runs r set finished_at = null, failure = null,
      head = (select max(seq) from sheaf.events e where e.run_id = r.id),
      epoch = case when r.kind = 'root' then r.epoch else 1 end,
      state = case when exists (select 1 from sheaf.events e where e.run_id = r.id and e.type = 'run.finished')
        then r.state else 'running' end
      where job_id = ${id}`,
    sql`update sheaf.jobs set state = 'running', outcome = null, result = null, finished_at = null, head = ${last}
      where run_id = ${id}`,
    sql`update sheaf.tasks set state = null, result_tree = null, result_commit = null, landed = false,
      key_sha = null, finished = null where job_id = ${id}`,
  ];
}
