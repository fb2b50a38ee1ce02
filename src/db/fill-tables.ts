import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { toFault } from "./complaint.ts";
import { type Database, type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";
import { quoted, readTables, type Table } from "./read-tables.ts";

/**
 * Rows into empty tables of the very shape that they were read from, all of them or none. Types are those that the
 * database has: of what was read, only values go into a statement.
 */
export interface Filling {
  name: string;
  columns: readonly string[];
  /** As `Snapshot.rows` gives them. */
  rows: AsyncIterable<string>;
}

/** `atEnd` runs before anything is settled; where it throws nothing is stored. Returns how many rows each table got. */
export async function fillTables(
  fillings: readonly Filling[],
  atEnd: (counts: ReadonlyMap<string, number>) => Promise<void>,
  database: Database,
): Promise<void> {
  try {
    await database.orm.transaction(async (own) => {
      const tables = new Map((await readTables(own)).map((table) => [table.name, table]));
      for (const table of tables.values()) await refuseFilled(table, own);
      const counts = new Map<string, number>();
      for (const filling of fillings) {
        counts.set(filling.name, await fill(filling, required(filling, tables), own));
      }
      await atEnd(counts);
    });
  } catch (thrown) {
    throw toFault(thrown, { what: "fill the database", on: database.address });
  }
}

async function refuseFilled({ name }: Table, own: Orm): Promise<void> {
  const asked = sql.raw(`select 1 as one from sheaf.${quoted(name)} limit 1`);
  if ((await rowsOf(own, asked, z.unknown())).length === 0) return;
  throw new Fault("usage", `the database is not empty: there are rows in sheaf.${name}`, {
    remedy: "import into a database that nobody has used, or remove its schemas sheaf, sheaf_queue and drizzle",
  });
}

function required({ name, columns }: Filling, tables: ReadonlyMap<string, Table>): Table {
  const table = tables.get(name);
  const types = new Map(table?.columns.map((column) => [column.name, column.type]));
  const odd = columns.find((column) => !types.has(column));
  if (!table || odd !== undefined || types.size !== columns.length) {
    throw new Fault("usage", `the file's table ${name}${odd ? `, column ${odd}` : ""} is not one of its version's`);
  }
  return { name, columns: columns.map((column) => ({ name: column, type: types.get(column) ?? "text" })) };
}

/** Bytes of text in one statement, about; and rows. */
const mostBytes = 4_000_000;
const mostRows = 500;
const row = z.array(z.string().nullable());

async function fill({ rows }: Filling, table: Table, own: Orm): Promise<number> {
  let count = 0;
  let bytes = 0;
  let batch: (string | null)[][] = [];
  const flush = async () => {
    if (batch.length > 0) await insert(batch, table, own);
    count += batch.length;
    batch = [];
    bytes = 0;
  };
  for await (const line of rows) {
    batch.push(valuesOf(line, table));
    bytes += line.length;
    if (bytes > mostBytes || batch.length >= mostRows) await flush();
  }
  await flush();
  return count;
}

function valuesOf(line: string, { name, columns }: Table): (string | null)[] {
  const values = row.safeParse(JSON.parse(line));
  if (values.success && values.data.length === columns.length) return values.data;
  throw new Fault("usage", `a row of table ${name} in the file is not one`);
}

async function insert(batch: readonly (string | null)[][], { name, columns }: Table, own: Orm): Promise<void> {
  const into = columns.map((column) => quoted(column.name)).join(", ");
  const cast = columns.map(({ type }, index) => `v.c${index}::${type}`).join(", ");
  const names = columns.map((_, index) => `c${index}`).join(", ");
  const values = columns.map((_, index) => sql`${sql.param(batch.map((each) => each[index] ?? null))}::text[]`);
  await own.execute(
    sql`${sql.raw(`insert into sheaf.${quoted(name)} (${into}) select ${cast} from unnest(`)}${sql.join(values, sql`, `)}${sql.raw(`) as v(${names})`)}`,
  );
}
