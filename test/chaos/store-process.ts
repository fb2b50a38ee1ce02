import { join } from "node:path";
import { z } from "zod";
import { rowsOf } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { openDatabase } from "../../src/db/open.ts";

/**
 * `node store-process.ts HOME [URL] [MIGRATIONS]`: all that is stored of all jobs, as JSON, read by a process that knows nothing of
 * the one that wrote it. HOME is a copy or at rest: the embedded database has one owner.
 */
const [home = "", address = "", other = ""] = process.argv.slice(2);
const root = join(import.meta.dirname, "../..");
await using database = await openDatabase({
  ...{ url: address === "" ? undefined : address, folder: home, template: join(root, "dist/template") },
  migrations: other === "" ? join(root, "migrations") : other,
});
const rows = (statement: string) => rowsOf(database.orm, sql.raw(statement), z.unknown());
const stored = {
  jobs: await rows("select run_id as id, handle, state, outcome, head, result from sheaf.jobs order by created_at"),
  runs: await rows(
    "select id, job_id as job, task_id as task, step, attempt, kind, state, epoch, head from sheaf.runs order by created_at, id",
  ),
  tasks: await rows("select job_id as job, id, state, landed from sheaf.tasks order by job_id, ordinal"),
  events: await rows(
    "select run_id as run, job_id as job, seq, pos, type, data, epoch from sheaf.events order by job_id, pos",
  ),
  approvals: await rows("select id, job_id as job, run_id as run, call_id as call, state from sheaf.approvals"),
  requests: await rows("select count(*) as open from sheaf.requests where taken_at is null and kind <> 'spend'"),
  spans: await rows(
    "select job_id as job, count(*) as all, count(*) filter (where dur_ns is null) as open, count(*) filter (where parent_span_id is null) as roots from sheaf.spans group by job_id",
  ),
};
process.stdout.write(JSON.stringify(stored));
