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

interface Pace {
  /** Milliseconds that one request, and one token, takes; 0 where there is no such rate. */
  requestMs: number;
  tokenMs: number;
}

/** Those that go together, in milliseconds of each rate. */
interface Batch {
  count: number;
  requests: number;
  tokens: number;
  /** How far ahead of now its requests, and the tokens of those before it, may reach. */
  mostAhead: number;
  tokensAhead: number;
}

/**
 * How many of the requests, the first ones, may go now, and how long until as many of the rest may as go together. One
 * statement where any may.
 */
export async function takeRate(
  question: RateQuestion,
  database: Database,
): Promise<{ granted: number; waitMs: number }> {
  const { lane, tokens } = question;
  const pace = paceOf(question);
  const batch = batchOf(tokens, pace);
  return attempt("ask for a rate", database, async (orm) => {
    const [granted] = await rowsOf(orm, takeStatement(lane, batch), state);
    if (granted) {
      const rest = tokens.slice(batch.count);
      return { granted: batch.count, waitMs: rest.length > 0 ? waitOf(granted, batchOf(rest, pace)) : 0 };
    }
    const [row] = await rowsOf(
      orm,
      sql`select extract(epoch from clock_timestamp())::float8 * 1000 as now, requests_at, tokens_at, paused_until
from sheaf.rates where lane = ${lane}`,
      state,
    );
    return { granted: 0, waitMs: row ? Math.max(1, waitOf(row, batch)) : 1 };
  });
}

function takeStatement(lane: string, { requests, tokens, mostAhead, tokensAhead }: Batch) {
  return sql`
with clock as (select extract(epoch from clock_timestamp())::float8 * 1000 as now)
insert into sheaf.rates as r (lane, requests_at, tokens_at, paused_until)
select ${lane}, now + ${requests}::float8, now + ${tokens}::float8, 0 from clock
on conflict (lane) do update set
  requests_at = greatest(r.requests_at, excluded.requests_at - ${requests}::float8) + ${requests}::float8,
  tokens_at = greatest(r.tokens_at, excluded.tokens_at - ${tokens}::float8) + ${tokens}::float8
where r.paused_until <= excluded.requests_at - ${requests}::float8
  and r.requests_at <= excluded.requests_at - 2 * ${requests}::float8 + ${mostAhead}::float8
  and r.tokens_at <= excluded.tokens_at - ${tokens}::float8 + ${tokensAhead}::float8
returning extract(epoch from clock_timestamp())::float8 * 1000 as now, requests_at, tokens_at, paused_until`;
}

/** The same condition, as a time. */
function waitOf(row: z.infer<typeof state>, { requests, mostAhead, tokensAhead }: Batch): number {
  const at = Math.max(row.paused_until, row.requests_at + requests - mostAhead, row.tokens_at - tokensAhead);
  return Math.max(0, Math.ceil(at - row.now));
}

function paceOf({ requestsPerMinute, tokensPerMinute }: RateQuestion): Pace {
  const slowed = minuteMs * (1 + atOnce);
  return {
    requestMs: requestsPerMinute ? slowed / requestsPerMinute : 0,
    tokenMs: tokensPerMinute ? slowed / tokensPerMinute : 0,
  };
}

/** As many as may go at once: one, whatever it takes. */
function batchOf(each: readonly number[], { requestMs, tokenMs }: Pace): Batch {
  const mostAhead = Math.max(aheadMs, requestMs);
  let count = 0;
  let tokens = 0;
  for (const one of each) {
    const sum = tokens + one * tokenMs;
    if (count > 0 && (sum > aheadMs || (count + 1) * requestMs > mostAhead)) break;
    count += 1;
    tokens = sum;
  }
  return { count, requests: count * requestMs, tokens, mostAhead, tokensAhead: Math.max(0, aheadMs - tokens) };
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
