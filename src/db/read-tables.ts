import { z } from "zod";
import { toFault } from "./complaint.ts";
import { type Database, type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";

/**
 * The tables as they are, and their rows as text: every value in the form that PostgreSQL itself writes and reads, which
 * no major version has changed. What a table means is nothing this knows, so a new table needs no line here.
 */
export interface Table {
  name: string;
  columns: readonly { name: string; type: string }[];
}

export interface Snapshot {
  /** One that refers to another comes after it. */
  tables: readonly Table[];
  /** Hashes of the migrations that made them, oldest first. */
  migrations: readonly string[];
  /** `server_version`, to be told. */
  version: string;
  /** Each row as a JSON array of texts and nulls, in the order of the columns. */
  rows(table: Table): AsyncIterable<string>;
  orm: Orm;
}

/** Shows the database as it was at one moment, whatever is written meanwhile. */
export async function withSnapshot<T>(database: Database, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  try {
    return await database.orm.transaction(
      async (own) => {
        await own.execute(sql.raw("set local timezone to 'UTC'"));
        await own.execute(sql.raw("set local datestyle to 'ISO, YMD'"));
        await own.execute(sql.raw("set local bytea_output to 'hex'"));
        const [found] = await rowsOf(own, sql.raw("show server_version"), z.object({ server_version: z.string() }));
        const tables = await readTables(own);
        const migrations = await readMigrations(own);
        const version = found?.server_version ?? "";
        return read({ tables, migrations, version, rows: (table) => rowsIn(table, own), orm: own });
      },
      { isolationLevel: "repeatable read", accessMode: "read only" },
    );
  } catch (thrown) {
    throw toFault(thrown, { what: "read the database", on: database.address });
  }
}

async function readMigrations(orm: Orm): Promise<string[]> {
  const asked = sql`select hash from drizzle.__drizzle_migrations order by created_at, id`;
  return (await rowsOf(orm, asked, z.object({ hash: z.string() }))).map(({ hash }) => hash);
}

export async function readTables(orm: Orm): Promise<Table[]> {
  const columns = await rowsOf(
    orm,
    sql.raw(columnsOfAll),
    z.object({ table: z.string(), name: z.string(), type: z.string() }),
  );
  const references = await rowsOf(orm, sql.raw(referencesOfAll), z.object({ from: z.string(), to: z.string() }));
  const byName = new Map<string, Table["columns"]>();
  for (const { table, ...column } of columns) byName.set(table, [...(byName.get(table) ?? []), column]);
  return inOrder([...byName.keys()], references).map((name) => ({ name, columns: byName.get(name) ?? [] }));
}

const columnsOfAll = `
select c.relname::text as "table", a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname = 'sheaf' and c.relkind in ('r', 'p') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by c.relname, a.attnum`;

const referencesOfAll = `
select c.relname::text as "from", o.relname::text as "to"
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class o on o.oid = k.confrelid
  join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and n.nspname = 'sheaf' and k.conrelid <> k.confrelid`;

/** Those that others refer to first; where they refer to each other, as they come. Pure. */
function inOrder(names: readonly string[], references: readonly { from: string; to: string }[]): string[] {
  const placed = new Set<string>();
  const under = new Set<string>();
  const place = (name: string) => {
    if (placed.has(name) || under.has(name)) return;
    under.add(name);
    for (const { from, to } of references) if (from === name) place(to);
    placed.add(name);
  };
  for (const name of names) place(name);
  return [...placed];
}

async function* rowsIn({ name, columns }: Table, own: Orm): AsyncGenerator<string> {
  const texts = columns.map((column) => `${quoted(column.name)}::text`).join(", ");
  await own.execute(
    sql.raw(
      `declare dump no scroll cursor for select json_build_array(${texts})::text as line from sheaf.${quoted(name)}`,
    ),
  );
  const few = columns.some(({ type }) => type === "bytea");
  for (;;) {
    const page = await rowsOf(own, sql.raw(`fetch ${few ? 8 : 200} from dump`), z.object({ line: z.string() }));
    for (const { line } of page) yield line;
    if (page.length === 0) break;
  }
  await own.execute(sql.raw("close dump"));
}

/** An identifier of SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
