import { sql } from "drizzle-orm";
import { z } from "zod";
import { type Database, rowsOf } from "../../src/db/database.ts";
import type { JobId } from "../../src/protocol/ids.ts";

/** A finished job as it was stored, to be put back as if its process had ended earlier, as often as a test likes. */
export interface RecordedJob {
  /** Facts of the run of an agent that asks a model. */
  length: number;
  /** All as it was when that run had `seq` facts in its log. */
  cutAt(seq: number): Promise<void>;
}

const event = z.object({ pos: z.coerce.number(), run_id: z.string(), seq: z.coerce.number() });

export async function recordJob(id: JobId, run: string, { orm }: Database): Promise<RecordedJob> {
  await orm.execute(sql`create table if not exists sheaf.kept_events (like sheaf.events)`);
  await orm.execute(sql`delete from sheaf.kept_events where job_id = ${id}`);
  await orm.execute(sql`insert into sheaf.kept_events select * from sheaf.events where job_id = ${id}`);
  const events = await rowsOf(
    orm,
    sql`select pos, run_id, seq from sheaf.kept_events where job_id = ${id} order by pos`,
    event,
  );
  return {
    length: events.filter((each) => each.run_id === run).length,
    async cutAt(seq) {
      const last = events.find((each) => each.run_id === run && each.seq === seq)?.pos ?? 0;
      await orm.execute(sql`delete from sheaf.events where job_id = ${id}`);
      await orm.execute(
        sql`insert into sheaf.events select * from sheaf.kept_events where job_id = ${id} and pos <= ${last}`,
      );
      await orm.execute(sql`delete from sheaf.runs where job_id = ${id}
        and not exists (select 1 from sheaf.events e where e.run_id = runs.id)`);
      await orm.execute(sql`delete from sheaf.approvals where job_id = ${id}
        and not exists (select 1 from sheaf.events e where e.data->>'approval_id' = approvals.id::text)`);
      await orm.execute(sql`update sheaf.approvals a set state = 'pending', decided_by = null, decided_at = null
        where job_id = ${id} and not exists (select 1 from sheaf.events e
          where e.type = 'approval.resolved' and e.data->>'approval_id' = a.id::text)`);
      await orm.execute(sql`update sheaf.runs r set finished_at = null, failure = null,
        head = (select max(seq) from sheaf.events e where e.run_id = r.id),
        epoch = case when r.kind = 'root' then r.epoch else 1 end,
        state = case when exists (select 1 from sheaf.events e where e.run_id = r.id and e.type = 'run.finished')
          then r.state else 'running' end
        where job_id = ${id}`);
      await orm.execute(sql`update sheaf.jobs set state = 'running', outcome = null, result = null, finished_at = null,
        head = ${last} where run_id = ${id}`);
      await orm.execute(sql`update sheaf.tasks set state = null, result_tree = null, result_commit = null, landed = false,
        key_sha = null, finished = null where job_id = ${id}`);
    },
  };
}
