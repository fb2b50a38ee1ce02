import type { SQL } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { z } from "zod";
import type { Standstills } from "../protocol/standstill.ts";

/** drizzle over either database, or a transaction of one. */
export type Orm = PgDatabase<PgQueryResultHKT>;

/** An open, migrated database. Everything in this folder takes it as its last argument. */
export interface Database extends AsyncDisposable {
  readonly kind: "pglite" | "postgres";
  readonly orm: Orm;
  /** What to call it in a message; never holds a password. */
  readonly address: string;
  /** Where statements wait while it is away, if `isPatient`: those of work. Who only looks is told at once. */
  readonly standstills?: Standstills | undefined;
  readonly isPatient?: boolean;
  /**
   * Hears what is notified on `channel` by whoever commits to this database, until the returned function is called.
   * A connection that breaks is made again without a word; `heard` is then called with "", since some may be missed.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Runs a statement and checks the shape of its rows. */
export async function rowsOf<S extends z.ZodType>(orm: Orm, statement: SQL, row: S): Promise<z.infer<S>[]> {
  const answer = await orm.execute(statement);
  return z.object({ rows: z.array(row) }).parse(answer).rows;
}
