import { z } from "zod";
import { type Orm, rowsOf } from "../db/database.ts";
import { sql } from "../db/drizzle.ts";
import { jobId, type RunId, runId } from "../protocol/ids.ts";
import type { HeldWake, QueueLimits, Wake } from "./queue.ts";

/**
 * The statements on pg-boss's table. What runs for every wake is a function in the database (migrations/0005_wakes.sql):
 * planned once, one way there and back, and no client that stops in the middle holds the lock under which wakes are taken.
 */
export type QueueName = "jobs" | "runs";

/** Priorities are of 32 bits. */
const unlimited = 2 ** 31 - 1;

/** The lease of those who will hold them is in whole seconds, rounded up, by the clock of the database. */
export async function sendWakes(
  queue: { name: QueueName; leaseMs: number },
  wakes: readonly Wake[],
  orm: Orm,
): Promise<void> {
  const each = once(wakes);
  const list = <T>(pick: (wake: Wake) => T) => sql.param(each.map(pick));
  await orm.execute(sql`
select sheaf_queue.send_wakes(${queue.name}, ${Math.ceil(queue.leaseMs / 1_000)}::int,
  ${list((wake) => wake.runId)}::text[], ${list((wake) => wake.jobId)}::text[], ${list((wake) => wake.tenant)}::text[],
  ${list((wake) => wake.priority)}::int[], ${list((wake) => wake.startAfter?.toISOString() ?? null)}::timestamptz[])`);
}

/** One wake a run, as early and as urgent as any of them: a statement changes no row twice. */
function once(wakes: readonly Wake[]): Wake[] {
  const byRun = new Map<RunId, Wake>();
  for (const wake of wakes) {
    const other = byRun.get(wake.runId);
    byRun.set(wake.runId, other ? merged(other, wake) : wake);
  }
  return [...byRun.values()];
}

function merged({ startAfter: first, ...one }: Wake, { startAfter: second, priority }: Wake): Wake {
  const startAfter = first && second && new Date(Math.min(first.getTime(), second.getTime()));
  return { ...one, priority: Math.max(one.priority, priority), ...(startAfter ? { startAfter } : {}) };
}

const heldRow = z
  .object({
    id: z.string(),
    run: runId,
    job: jobId,
    tenant: z.string(),
    priority: z.number(),
    crashes: z.number(),
  })
  .transform(({ run, job, ...rest }): HeldWake => ({ ...rest, runId: run, jobId: job }));

/** As many as the limits allow now, best first. */
export async function takeWakes(
  name: QueueName,
  { holder, limits }: { holder: string; limits: QueueLimits },
  orm: Orm,
): Promise<HeldWake[]> {
  const { perNode, perJob = unlimited, perTenant = unlimited, overall = unlimited } = limits;
  const asked = sql`
select id, singleton_key as run, group_id as job, group_tier as tenant, priority, retry_count as crashes
from sheaf_queue.take_wakes(${name}, ${holder}, ${perNode}::int, ${perJob}::int, ${perTenant}::int, ${overall}::int)
order by priority desc, created_on`;
  return rowsOf(orm, asked, heldRow);
}

/** Held from the start, where the limits have room for it. */
export async function holdWake(
  queue: { name: QueueName; leaseMs: number; holder: string; limits: QueueLimits },
  { runId: run, jobId: job, tenant, priority }: Wake,
  orm: Orm,
): Promise<HeldWake | undefined> {
  const { perNode, perTenant = unlimited, overall = unlimited } = queue.limits;
  const asked = sql`
select id, singleton_key as run, group_id as job, group_tier as tenant, priority, retry_count as crashes
from sheaf_queue.hold_wake(${queue.name}, ${queue.holder}, ${Math.ceil(queue.leaseMs / 1_000)}::int, ${run}, ${job},
  ${tenant}, ${priority}::int, ${perNode}::int, ${perTenant}::int, ${overall}::int)`;
  const [held] = await rowsOf(orm, asked, heldRow);
  return held;
}

const identified = z.object({ id: z.string() });

/** Returns the ids of those it ended. */
export async function endWakes(name: QueueName, ids: readonly string[], orm: Orm): Promise<Set<string>> {
  const asked = sql`select id from sheaf_queue.end_wakes(${name}, ${sql.param(ids)}::uuid[]) as id`;
  return new Set((await rowsOf(orm, asked, identified)).map(({ id }) => id));
}

/** Which of them are still somebody's. */
export async function heldAmong(name: QueueName, ids: readonly string[], orm: Orm): Promise<Set<string>> {
  const asked = sql`
select id from sheaf_queue.job_common
where name = ${name} and id = any(${sql.param(ids)}::uuid[]) and state = 'active'`;
  return new Set((await rowsOf(orm, asked, identified)).map(({ id }) => id));
}

/** What this holder holds of a run. */
export async function findHeld(
  queue: { name: QueueName; holder: string },
  run: RunId,
  orm: Orm,
): Promise<HeldWake | undefined> {
  const asked = sql`
select id, singleton_key as run, group_id as job, group_tier as tenant, priority, retry_count as crashes
from sheaf_queue.job_common
where name = ${queue.name} and singleton_key = ${run} and state = 'active' and output = to_jsonb(${queue.holder}::text)`;
  const [held] = await rowsOf(orm, asked, heldRow);
  return held;
}

/** Whether it is still its holder's, and until the transaction ends nobody else's. The holder may touch it meanwhile. */
export async function lockHeld(name: QueueName, id: string, orm: Orm): Promise<boolean> {
  const asked = sql`
select id from sheaf_queue.job_common where name = ${name} and id = ${id}::uuid and state = 'active' for key share`;
  return (await rowsOf(orm, asked, identified)).length > 0;
}

/** Says that this holder lives, and returns all it holds: the run of each by the wake's id. */
export async function touchWakes(name: QueueName, holder: string, orm: Orm): Promise<Map<string, RunId>> {
  const asked = sql`
update sheaf_queue.job_common set heartbeat_on = clock_timestamp()
where name = ${name} and state = 'active' and output = to_jsonb(${holder}::text) returning id, singleton_key as run`;
  const rows = await rowsOf(orm, asked, z.object({ id: z.string(), run: runId }));
  return new Map(rows.map(({ id, run }) => [id, run]));
}

/** Puts held wakes back, for `startAfter` or for now. */
export async function returnWakes(
  name: QueueName,
  wakes: { ids: readonly string[]; startAfter?: Date | undefined },
  orm: Orm,
): Promise<void> {
  const start = wakes.startAfter?.toISOString() ?? null;
  await orm.execute(
    sql`select sheaf_queue.return_wakes(${name}, ${sql.param(wakes.ids)}::uuid[], ${start}::timestamptz, 0, false)`,
  );
}

/**
 * Puts back what the dead held, one crash older: whose lease ran out, or all there is where nobody else can live. What a
 * frozen process still has its hands on, in a transaction it never ended, is left until the server ends that.
 */
export async function takeFromDead(name: QueueName, whose: "expired" | "all", orm: Orm): Promise<number> {
  const isLive =
    whose === "expired" ? sql`heartbeat_on + heartbeat_seconds * interval '1 second' < clock_timestamp()` : sql`true`;
  const asked = sql`
select id from sheaf_queue.return_wakes(${name}, array(
  select id from sheaf_queue.job_common where name = ${name} and state = 'active' and ${isLive}
  for update skip locked
), null, 1, ${whose === "expired"}) as id`;
  return (await rowsOf(orm, asked, identified)).length;
}

/** Keeps a held wake as a dead letter: pg-boss's own state `failed`, with why. */
export async function buryWake(name: QueueName, id: string, orm: Orm): Promise<void> {
  await orm.execute(sql`
update sheaf_queue.job_common
set state = 'failed', completed_on = clock_timestamp(), output = jsonb_build_object('message', 'its holders died', 'holder', output)
where name = ${name} and id = ${id}::uuid and state = 'active'`);
}

export async function withdrawWakes(name: QueueName, runIds: readonly RunId[], orm: Orm): Promise<void> {
  await orm.execute(sql`
delete from sheaf_queue.job_common
where name = ${name} and state < 'active' and singleton_key = any(${sql.param(runIds)}::text[])`);
}

export async function countWakes(name: QueueName, orm: Orm): Promise<{ queued: number; held: number }> {
  const asked = sql`
select count(*) filter (where state < 'active')::int as queued, count(*) filter (where state = 'active')::int as held
from sheaf_queue.job_common where name = ${name} and state <= 'active'`;
  const [row] = await rowsOf(orm, asked, z.object({ queued: z.number(), held: z.number() }));
  return row ?? { queued: 0, held: 0 };
}
