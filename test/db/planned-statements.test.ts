import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { Database } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { openTestDatabase } from "../support/database.ts";

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
}, 60_000);
afterAll(() => database.close());

const often = 9;
const answered = z.object({ rows: z.array(z.record(z.string(), z.unknown())) });

async function rows(statement: ReturnType<typeof sql>): Promise<Record<string, unknown>[]> {
  return answered.parse(await database.orm.execute(statement)).rows;
}

const text = fc.option(
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', "\\", "{}", "null", "NULL", "😀,é", "")),
);
const storable = text.map((each) => each?.toWellFormed().replaceAll("\0", "\ufffd") ?? null);
const given = fc.record({
  texts: fc.array(storable),
  jsons: fc.array(fc.option(fc.json())),
  smalls: fc.array(fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))),
  larges: fc.array(fc.option(fc.maxSafeInteger())),
  floats: fc.array(fc.option(fc.oneof(fc.double({ noNaN: true }), fc.constant(-0)))),
  ids: fc.array(fc.option(fc.uuid())),
  bytes: fc.uint8Array(),
  one: storable,
});

test("says the same of every value, however often it is asked", async () => {
  await fc.assert(
    fc.asyncProperty(given, async (values) => {
      const { texts, jsons, smalls, larges, floats, ids, bytes, one } = values;
      const ask = (note: string) => sql`
select ${sql.param(texts)}::text[] as texts, (${sql.param(jsons)}::json[])::text[] as jsons,
  ${sql.param(smalls)}::int[] as smalls, ${sql.param(larges)}::bigint[] as larges, ${sql.param(floats)}::float8[] as floats,
  ${sql.param(ids)}::uuid[] as ids, ${sql.param(bytes)}::bytea as bytes, ${one}::text as one ${sql.raw(note)}`;
      // A text that was never seen is not planned ahead.
      const [plain] = await rows(ask(`-- ${unseen++}`));
      expect((await rows(ask("")))[0]).toEqual(plain);
      expect(plain).toMatchObject({ texts, jsons, smalls, larges, ids, one });
    }),
    { numRuns: 60 },
  );
});
let unseen = 0;

test("fails alone: what came before it and comes after it is done", async () => {
  const divide = (by: number) => rows(sql`select 12 / ${by}::int as result`);
  for (let time = 0; time < often; time++) expect(await divide(4)).toEqual([{ result: 3 }]);
  const [good, bad, after] = await Promise.allSettled([divide(3), divide(0), divide(2)]);
  expect(good).toMatchObject({ status: "fulfilled", value: [{ result: 4 }] });
  expect(bad).toMatchObject({ status: "rejected", reason: { cause: { code: "22012" } } });
  expect(after).toMatchObject({ status: "fulfilled", value: [{ result: 6 }] });
  await expect(rows(sql`select 12 / ${"no number"}::int as result`)).rejects.toMatchObject({
    cause: { code: "22P02" },
  });
  expect(await divide(1)).toEqual([{ result: 12 }]);
});

test("refuses a text that is wrong each time it comes, and goes on", async () => {
  for (let time = 0; time < often; time++) await expect(rows(sql`select nothing`)).rejects.toThrow();
  expect(await rows(sql`select 1 as one`)).toEqual([{ one: 1 }]);
});

test("keeps out of a transaction that is under way, and sees what it did", async () => {
  const count = () => rows(sql`select count(*)::int as count from rooms`);
  await database.orm.execute(sql`create table rooms (id int)`);
  for (let time = 0; time < often; time++) await count();
  let counted: ReturnType<typeof count> | undefined;
  await database.orm.transaction(async (own) => {
    await own.execute(sql`insert into rooms values (1)`);
    counted = count();
    await own.execute(sql`insert into rooms values (2)`);
  });
  expect(await counted).toEqual([{ count: 2 }]);
});

test("forgets statements that do not come back, and plans anew for tables that have changed", async () => {
  await database.orm.execute(sql`create table shelves (id int, name text)`);
  const add = (id: number) => rows(sql`insert into shelves values (${id}, ${`n${id}`}) returning name`);
  for (let id = 0; id < 600; id++) expect(await add(id)).toEqual([{ name: `n${id}` }]);
  const [planned] = await rows(
    sql`select count(*)::int as count from pg_prepared_statements where statement like '%shelves%'`,
  );
  expect(planned).toEqual({ count: 1 });
  for (let other = 0; other < 130; other++) {
    for (let time = 0; time < 3; time++) await rows(sql`select ${other}::int as is ${sql.raw(`-- other ${other}`)}`);
  }
  const [left] = await rows(sql`select count(*)::int as count from pg_prepared_statements`);
  expect(left?.count).toBeLessThan(110);
});
