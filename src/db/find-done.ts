import { setImmediate as nextTick } from "node:timers/promises";
import { z } from "zod";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** A task that somebody did before, of any job. `fact` is the data of its `task.finished`. */
export interface DoneTask {
  key: string;
  /** The handle of its job. */
  job: string;
  task: string;
  fact: unknown;
}

const row = z.object({ key: z.string(), job: z.string(), task: z.string(), fact: z.unknown() });

/**
 * The newest few of this key that ended well, newest first: with work, or with nothing to do. What one came to may be
 * another node's, or gone; an older one may be here. What a person answered is for the job that
 * asked: a task is not found in which somebody was asked, or whose job has an answer that held for its rest. Those who
 * ask in one turn of the event loop, as all tasks of a job do when it starts, are one statement.
 */
export async function findDone(key: string, database: Database): Promise<readonly DoneTask[]> {
  const asked = asking.get(database) ?? askSoon(database);
  asked.keys.add(key);
  return (await asked.found).get(key) ?? [];
}

interface Asked {
  keys: Set<string>;
  found: Promise<ReadonlyMap<string, readonly DoneTask[]>>;
}

const asking = new WeakMap<Database, Asked>();

function askSoon(database: Database): Asked {
  const keys = new Set<string>();
  const found = nextTick().then(() => {
    asking.delete(database);
    return findAll([...keys], database);
  });
  const asked = { keys, found };
  asking.set(database, asked);
  return asked;
}

/** Of one key. */
const mostFound = 5;

async function findAll(keys: readonly string[], database: Database): Promise<ReadonlyMap<string, readonly DoneTask[]>> {
  const statement = sql`
select key, job, task, fact from (
  select t.key_sha as key, j.handle as job, t.id as task, t.finished as fact,
    row_number() over (partition by t.key_sha order by j.created_at desc, t.id) as place
  from sheaf.tasks t join sheaf.jobs j on j.run_id = t.job_id
  where t.key_sha = any(${sql.param(keys)}::text[]) and t.state in ('succeeded', 'no_changes') and t.finished is not null
    and not exists (select from sheaf.approvals a where a.job_id = t.job_id and (a.task_id = t.id or a.remember))
) found where place <= ${mostFound} order by key, place`;
  const rows = await attempt("look for what was done before", database, (orm) => rowsOf(orm, statement, row));
  return Map.groupBy(rows, (each) => each.key);
}
