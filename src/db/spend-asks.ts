import { z } from "zod";
import { failure } from "../protocol/failure.ts";
import { jobId, runId, taskId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/**
 * What runs on other nodes ask of the budget of their job: one row of `requests` for each run, of the kind `spend` and
 * with the run's own id, which holds its newest call alone. The run's owner writes it, the job's owner answers in it, and
 * whoever is not that any more does neither. Both are rung for on the channel of the wakes.
 */
const sum = z.object({ tokens: z.number(), nanoUsd: z.number() });
const asked = z.object({
  /** Of the run's owner. */
  epoch: z.number().int(),
  /** Counts what this owner has said of the run, from 1. */
  n: z.number().int(),
  /** By the run in all, before this call. */
  spent: sum,
  /** What the call may take; nothing: none is under way. */
  wanted: sum,
});
const answer = z.union([
  z.object({ granted: z.literal(true), notices: z.array(z.string()) }),
  z.object({ refused: failure }),
]);
export type SpendAnswer = z.infer<typeof answer>;

const ask = asked.extend({ runId, jobId, taskId });
export type SpendAsk = z.infer<typeof ask>;
type Place = Pick<SpendAsk, "runId" | "epoch" | "n">;

/** False where the run is somebody else's by now, or over. */
export async function storeAsk(
  { runId: id, epoch, n, spent, wanted }: Omit<SpendAsk, "jobId" | "taskId">,
  database: Database,
): Promise<boolean> {
  const body = JSON.stringify({ epoch, n, spent, wanted });
  // In the order of what is said, whichever statement comes first.
  const statement = sql`
insert into sheaf.requests as q (id, run_id, kind, body, at)
select r.id, r.job_id, 'spend', ${body}::json, now() from sheaf.runs r
where r.id = ${id} and r.epoch = ${epoch}::int and r.state in ('queued', 'running', 'waiting')
on conflict (id) do update set body = excluded.body, at = excluded.at, taken_at = null
where ((q.body->>'epoch')::int, (q.body->>'n')::int) <= (${epoch}::int, ${n}::int)
returning id, pg_notify('sheaf_queue', 'asked ' || run_id)::text as rung`;
  const rows = await attempt("ask for a budget", database, (orm) =>
    rowsOf(orm, statement, z.object({ id: z.string() })),
  );
  return rows.length > 0;
}

const open = z.object({ run_id: z.string(), job_id: z.string(), task_id: z.string(), body: asked });

/** What the runs of these jobs ask, and nobody has answered. */
export async function findAsks(jobs: readonly string[], database: Database): Promise<SpendAsk[]> {
  if (jobs.length === 0) return [];
  const statement = sql`
select q.id as run_id, q.run_id as job_id, r.task_id, q.body from sheaf.requests q join sheaf.runs r on r.id = q.id
where q.run_id = any(${sql.param([...jobs])}::uuid[]) and q.kind = 'spend' and q.taken_at is null
  and r.epoch = (q.body->>'epoch')::int and r.state in ('queued', 'running', 'waiting') order by q.at, q.id`;
  const rows = await attempt("look for what is asked of budgets", database, (orm) => rowsOf(orm, statement, open));
  return rows.map(({ run_id, job_id, task_id, body }) =>
    ask.parse({ ...body, runId: run_id, jobId: job_id, taskId: task_id }),
  );
}

export interface SpendAnswered {
  ask: Place;
  answer: SpendAnswer;
  /** Of the job's root run. */
  rootEpoch: number;
}

/** Those that were given by whoever has the job, to what is still asked; all others come to nothing. */
export async function storeAnswers(answers: readonly SpendAnswered[], database: Database): Promise<void> {
  if (answers.length === 0) return;
  const list = <T>(of: (each: SpendAnswered) => T) => sql.param(answers.map(of));
  const statement = sql`
update sheaf.requests q set taken_at = now(), body = (q.body::jsonb || jsonb_build_object('answer', a.answer::jsonb))::json
from unnest(${list(({ ask: { runId: id } }) => id)}::uuid[], ${list(({ ask: { epoch } }) => epoch)}::int[],
  ${list(({ ask: { n } }) => n)}::int[], ${list(({ answer: given }) => JSON.stringify(given))}::text[],
  ${list(({ rootEpoch }) => rootEpoch)}::int[]) as a(id, epoch, n, answer, root_epoch)
where q.id = a.id and q.kind = 'spend' and q.taken_at is null
  and (q.body->>'epoch')::int = a.epoch and (q.body->>'n')::int = a.n
  and exists (select from sheaf.runs root where root.id = q.run_id and root.epoch = a.root_epoch)
returning pg_notify('sheaf_queue', 'answered ' || q.id)::text as rung`;
  await attempt("answer for a budget", database, (orm) => orm.execute(statement));
}

const answered = z.object({ id: z.string(), body: asked.extend({ answer }) });

/** What these runs were answered last. */
export async function findAnswers(
  runs: readonly string[],
  database: Database,
): Promise<(Place & { answer: SpendAnswer })[]> {
  if (runs.length === 0) return [];
  const statement = sql`
select id, body from sheaf.requests
where id = any(${sql.param([...runs])}::uuid[]) and kind = 'spend' and taken_at is not null`;
  const rows = await attempt("look for answers about budgets", database, (orm) => rowsOf(orm, statement, answered));
  return rows.map(({ id, body }) => ({ runId: runId.parse(id), epoch: body.epoch, n: body.n, answer: body.answer }));
}
