import { z } from "zod";
import { attempt } from "./attempt.ts";
import { type Database, type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/**
 * Artifacts that no event and no result names. They are removed only while no job runs on any node: a run stores an
 * artifact first and names it afterwards, and equal bytes are stored once.
 */
export interface Unnamed {
  count: number;
  bytes: number;
}

export function unnamedArtifacts(database: Database): Promise<Unnamed> {
  return attempt("look for artifacts", database, async (orm) => {
    const asked = sql`select count(*) as count, coalesce(sum(size), 0) as bytes from sheaf.artifacts a where ${isUnnamed}`;
    const [found] = await rowsOf(orm, asked, sizes);
    return found ?? { count: 0, bytes: 0 };
  });
}

/** undefined where a job has begun. Nobody stores an artifact while it is at work. */
export function removeUnnamedArtifacts(database: Database): Promise<Unnamed | undefined> {
  return attempt("remove artifacts", database, (orm) =>
    orm.transaction(async (own) => {
      await own.execute(sql`lock table sheaf.artifacts in share row exclusive mode`);
      if (await isAnyActive(own)) return undefined;
      const removed = sql`
with gone as (delete from sheaf.artifacts a where ${isUnnamed} returning size)
select count(*) as count, coalesce(sum(size), 0) as bytes from gone`;
      const [found] = await rowsOf(own, removed, sizes);
      return found ?? { count: 0, bytes: 0 };
    }),
  );
}

const sizes = z.object({ count: z.coerce.number(), bytes: z.coerce.number() });

/** Every 64 hexadecimal digits in a log or in a result may be the name of one. */
const isUnnamed = sql`a.sha256 not in (
  select m[1] from sheaf.events e, regexp_matches(e.data::text, '[0-9a-f]{64}', 'g') m
  union all
  select m[1] from sheaf.jobs j, regexp_matches(j.result::text, '[0-9a-f]{64}', 'g') m)`;

async function isAnyActive(orm: Orm): Promise<boolean> {
  const asked = sql`select 1 as one from sheaf.jobs where state is distinct from 'finished' limit 1`;
  return (await rowsOf(orm, asked, z.object({ one: z.number() }))).length > 0;
}
