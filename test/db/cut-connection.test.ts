import { expect, test } from "vitest";
import { z } from "zod";
import { attempt } from "../../src/db/attempt.ts";
import { rowsOf } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { openDatabase } from "../../src/db/open.ts";
import { migrations, template } from "../support/database.ts";
import { startPostgres } from "../support/postgres.ts";

test("a connection that is cut between two statements of a transaction fails that transaction, and nothing else", async () => {
  await using server = await startPostgres();
  await using database = await openDatabase({
    ...{ url: await server.createDatabase(), folder: "/nonexistent", template, migrations },
  });
  let tries = 0;
  const kept = await attempt("be cut off", database, (orm) =>
    orm.transaction(async (transaction) => {
      tries += 1;
      const pid = z.object({ pid: z.number() });
      const [own] = await rowsOf(transaction, sql`select pg_backend_pid() as pid`, pid);
      if (tries === 1) {
        await database.orm.execute(sql`select pg_terminate_backend(${own?.pid})`);
        // Nobody asks anything of the connection while it ends.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      return rowsOf(transaction, sql`select pg_backend_pid() as pid`, pid);
    }),
  );
  expect([tries, kept.length]).toEqual([2, 1]);
});
