import { z } from "zod";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/**
 * One rate for many nodes, by the generic cell rate algorithm: the time at which all that was let through would be over
 * at an even pace, which may lie a little ahead of now. Paces are slower by as much, so that no minute ever holds more
 * than the rate. The database's clock counts.
 */
export interface RateQuestion {
  lane: string;
  /** Tokens of each request, in their order. */
  tokens: readonly number[];
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
}

/** At once, as a share of a minute. */
const atOnce = 0.05;
const minuteMs = 60_000;
const aheadMs = atOnce * minuteMs;

const state = z.object({
  now: z.coerce.number(),
  requests_at: z.coerce.number(),
  tokens_at: z.coerce.number(),
  paused_until: z.coerce.number(),
});

/** How many of the requests, the first ones, may go now, and how long until the next may. One statement where any may. */
export async function takeRate(
  question: RateQuestion,
  database: Database,
): Promise<{ granted: number; waitMs: number }> {
  const pace = paceOf(question);
  const count = together(question, pace);
  const [first = 0] = question.tokens;
  const requests = count * pace.requestMs;
  const tokens = question.tokens.slice(0, count).reduce((sum, each) => sum + each, 0) * pace.tokenMs;
  const most = Math.max(aheadMs, pace.requestMs);
  return attempt("ask for a rate", database, async (orm) => {
    const granted = await rowsOf(
      orm,
      sql`
with clock as (select extract(epoch from clock_timestamp())::float8 * 1000 as now)
insert into sheaf.rates as r (lane, requests_at, tokens_at, paused_until)
select ${question.lane}, now + ${requests}::float8, now + ${tokens}::float8, 0 from clock
on conflict (lane) do update set
  requests_at = greatest(r.requests_at, excluded.requests_at - ${requests}::float8) + ${requests}::float8,
  tokens_at = greatest(r.tokens_at, excluded.tokens_at - ${tokens}::float8) + ${tokens}::float8
where r.paused_until <= excluded.requests_at - ${requests}::float8
  and r.requests_at <= excluded.requests_at - 2 * ${requests}::float8 + ${most}::float8
  and r.tokens_at <= excluded.tokens_at - ${tokens}::float8 + greatest(${aheadMs - tokens}::float8, 0)
returning lane`,
      z.object({ lane: z.string() }),
    );
    if (granted.length > 0) return { granted: count, waitMs: 0 };
    const [row] = await rowsOf(
      orm,
      sql`select extract(epoch from clock_timestamp())::float8 * 1000 as now, requests_at, tokens_at, paused_until
from sheaf.rates where lane = ${question.lane}`,
      state,
    );
    if (!row) return { granted: 0, waitMs: 0 };
    const requestAt = row.requests_at + pace.requestMs - most;
    const tokenAt = row.tokens_at - Math.max(0, aheadMs - first * pace.tokenMs);
    const at = Math.max(row.paused_until, requestAt, tokenAt);
    return { granted: 0, waitMs: Math.max(1, Math.ceil(at - row.now)) };
  });
}

/** Milliseconds that one request, and one token, takes; 0 where there is no such rate. */
function paceOf({ requestsPerMinute, tokensPerMinute }: RateQuestion): { requestMs: number; tokenMs: number } {
  const slowed = minuteMs * (1 + atOnce);
  return {
    requestMs: requestsPerMinute ? slowed / requestsPerMinute : 0,
    tokenMs: tokensPerMinute ? slowed / tokensPerMinute : 0,
  };
}

/** As many as may go at once: one, whatever it takes. */
function together({ tokens }: RateQuestion, { requestMs, tokenMs }: { requestMs: number; tokenMs: number }): number {
  let sum = 0;
  const isOver = (each: number, index: number) => {
    sum += each * tokenMs;
    return index > 0 && (sum > aheadMs || (index + 1) * requestMs > aheadMs);
  };
  const over = tokens.findIndex(isOver);
  return over < 0 ? tokens.length : over;
}

/** No node asks for so long. */
export async function pauseRate(lane: string, ms: number, database: Database): Promise<void> {
  await attempt("pause a rate", database, (orm) =>
    orm.execute(sql`
with clock as (select extract(epoch from clock_timestamp())::float8 * 1000 as now)
insert into sheaf.rates as r (lane, requests_at, tokens_at, paused_until)
select ${lane}, 0, 0, now + ${ms}::float8 from clock
on conflict (lane) do update set paused_until = greatest(r.paused_until, excluded.paused_until)`),
  );
}
