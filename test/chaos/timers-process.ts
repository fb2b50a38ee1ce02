import { z } from "zod";
import { systemClock as clock } from "../../src/clock.ts";
import { type Orm, rowsOf } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { openDatabase } from "../../src/db/open.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { HeldWake } from "../../src/queue/queue.ts";
import { migrations, template } from "../support/database.ts";

/**
 * `node timers-process.ts HOME COUNT [URL]`: sends so many wakes for later, where nobody has before it, and takes them as
 * their times come: each in one transaction that writes it down and ends it. Ends when all were woken, and says on stdout
 * what is written down.
 */
const [home = "", count = "0", url] = process.argv.slice(2);
const spreadMs = 4_000;
const leaseMs = 2_000;

await using database = await openDatabase({ url, folder: home, template, migrations });
const queue = await openQueue({
  ...{ name: "runs", database, clock, node: `timers-${process.pid}`, limits: { perNode: 50 } },
  ...{ leaseMs, isEmbedded: url === undefined, mostCrashes: 100 },
});
const { promise: over, resolve: end } = Promise.withResolvers<void>();

await prepare();
queue.pump({ take: (wake) => void take(wake), lost: () => {}, poison: async () => {} });
console.log("ready");
await endWhenDone();
await over;
await queue.drain(leaseMs);
await queue.close();
console.log(JSON.stringify(await writtenDown()));

async function prepare(): Promise<void> {
  await database.orm.transaction(async (orm) => {
    await orm.execute(sql`create table if not exists due (run_id uuid, at timestamptz)`);
    await orm.execute(sql`create table if not exists woken (run_id uuid, at timestamptz)`);
    if ((await countOf(sql`due`, orm)) > 0) return;
    const wakes = Array.from({ length: Number(count) }, (_, index) => ({
      ...{ runId: runId.parse(newUuid(clock)), jobId: jobId.parse(newUuid(clock)), tenant: "local", priority: 0 },
      startAfter: new Date(clock.now() + 500 + (index * spreadMs) / Number(count)),
    }));
    const [ids, times] = [wakes.map((wake) => wake.runId), wakes.map(({ startAfter }) => startAfter.toISOString())];
    await orm.execute(
      sql`insert into due select * from unnest(${sql.param(ids)}::uuid[], ${sql.param(times)}::timestamptz[])`,
    );
    await queue.send(wakes, orm);
  });
}

async function take(wake: HeldWake): Promise<void> {
  try {
    await database.orm.transaction(async (orm) => {
      await orm.execute(sql`insert into woken values (${wake.runId}::uuid, clock_timestamp())`);
      const [lost] = await queue.complete([wake], orm);
      if (lost) throw new Error("it was somebody else's by then");
    });
  } catch (thrown) {
    console.error(`${wake.runId}: ${String(thrown)}`);
    await queue.putBack(wake);
  }
  await endWhenDone();
}

/** The one before may have been killed when nothing was left. */
async function endWhenDone(): Promise<void> {
  const { queued, held } = await queue.depth();
  if (queued + held === 0) end();
}

async function countOf(table: ReturnType<typeof sql>, orm: Orm): Promise<number> {
  const [row] = await rowsOf(orm, sql`select count(*)::int as count from ${table}`, z.object({ count: z.number() }));
  return row?.count ?? 0;
}

async function writtenDown() {
  const asked = sql`
select (select count(*)::int from due) as due, (select count(*)::int from woken) as woken,
  (select count(distinct run_id)::int from woken) as runs,
  (select count(*)::int from woken w join due d using (run_id) where w.at < d.at) as early`;
  const [row] = await rowsOf(database.orm, asked, z.record(z.string(), z.number()));
  return row;
}
