import { z } from "zod";
import { attempt } from "./attempt.ts";
import { type Database, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/** The books of one tenant and day (UTC), which all nodes share. Tokens, and nano-USD. */
export interface DayPlace {
  tenant: string;
  day: string;
}

export interface DaySum {
  tokens: number;
  nanoUsd: number;
}

const books = z.object({
  spent_tokens: z.coerce.number(),
  spent_nano_usd: z.coerce.number(),
  reserved_tokens: z.coerce.number(),
  reserved_nano_usd: z.coerce.number(),
});
export type DayBooks = z.infer<typeof books>;

/** The most that a column can hold, for what has no limit. */
const unlimited = Number.MAX_SAFE_INTEGER;

/**
 * Reserves in one statement, which decides as well: two nodes at the same time cannot both have what is there for one.
 * Undefined where it does not fit. A statement whose acknowledgement was lost may have reserved too much, never too little.
 */
export async function reserveOfDay(
  { tenant, day }: DayPlace,
  { wanted, limit }: { wanted: DaySum; limit: Partial<DaySum> },
  database: Database,
): Promise<DayBooks | undefined> {
  const tokens = limit.tokens ?? unlimited;
  const nanoUsd = limit.nanoUsd ?? unlimited;
  const [row] = await attempt("reserve of the day's budget", database, (orm) =>
    rowsOf(
      orm,
      sql`
insert into sheaf.day_budgets as b (tenant, day, spent_tokens, spent_nano_usd, reserved_tokens, reserved_nano_usd)
select ${tenant}, ${day}, 0, 0, ${wanted.tokens}::bigint, ${wanted.nanoUsd}::bigint
where ${wanted.tokens}::bigint <= ${tokens}::bigint and ${wanted.nanoUsd}::bigint <= ${nanoUsd}::bigint
on conflict (tenant, day) do update set
  reserved_tokens = b.reserved_tokens + excluded.reserved_tokens,
  reserved_nano_usd = b.reserved_nano_usd + excluded.reserved_nano_usd
where b.spent_tokens + b.reserved_tokens + excluded.reserved_tokens <= ${tokens}::bigint
  and b.spent_nano_usd + b.reserved_nano_usd + excluded.reserved_nano_usd <= ${nanoUsd}::bigint
returning spent_tokens, spent_nano_usd, reserved_tokens, reserved_nano_usd`,
      books,
    ),
  );
  return row;
}

/** What was reserved is given back, and what was really used is spent. */
export async function settleOfDay(
  { tenant, day }: DayPlace,
  { reserved, actual }: { reserved: DaySum; actual: DaySum },
  database: Database,
): Promise<void> {
  await attempt("settle with the day's budget", database, (orm) =>
    orm.execute(sql`
update sheaf.day_budgets set
  reserved_tokens = reserved_tokens - ${reserved.tokens}::bigint,
  reserved_nano_usd = reserved_nano_usd - ${reserved.nanoUsd}::bigint,
  spent_tokens = spent_tokens + ${actual.tokens}::bigint,
  spent_nano_usd = spent_nano_usd + ${actual.nanoUsd}::bigint
where tenant = ${tenant} and day = ${day}`),
  );
}

export async function readDay({ tenant, day }: DayPlace, database: Database): Promise<DayBooks> {
  const [row] = await attempt("read the day's budget", database, (orm) =>
    rowsOf(
      orm,
      sql`select spent_tokens, spent_nano_usd, reserved_tokens, reserved_nano_usd from sheaf.day_budgets
where tenant = ${tenant} and day = ${day}`,
      books,
    ),
  );
  return row ?? { spent_tokens: 0, spent_nano_usd: 0, reserved_tokens: 0, reserved_nano_usd: 0 };
}

/**
 * The one process that has this database begins: what an earlier one had reserved when it ended was probably spent.
 */
export async function assumeReserved(database: Database): Promise<void> {
  await attempt("settle what an earlier process reserved", database, (orm) =>
    orm.execute(sql`
update sheaf.day_budgets set
  spent_tokens = spent_tokens + reserved_tokens, spent_nano_usd = spent_nano_usd + reserved_nano_usd,
  reserved_tokens = 0, reserved_nano_usd = 0
where reserved_tokens <> 0 or reserved_nano_usd <> 0`),
  );
}
