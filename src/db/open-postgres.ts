import { Pool } from "pg";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { attempt } from "./attempt.ts";
import { toFault } from "./complaint.ts";
import { type Database, rowsOf } from "./database.ts";
import { postgresDriver, sql } from "./drizzle.ts";
import { isCurrent } from "./is-current.ts";
import { listenPostgres } from "./listen-postgres.ts";

const oldestVersion = 15;
/** The advisory lock under which migrations run: "sheaf" in ASCII. */
const migrationLock = 0x73_68_65_61_66;

/** Opens and migrates a PostgreSQL server. Messages name its host and port, never its password. */
export async function openPostgres(url: string, migrations: string): Promise<Database> {
  const address = addressOf(url);
  const pool = new Pool({
    connectionString: url,
    application_name: "sheaf",
    max: 8,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // Of a process that was frozen in the middle of one: nobody else could go on with what it has its hands on.
    idle_in_transaction_session_timeout: 10_000,
  });
  // A connection that breaks while idle is replaced; the statement that needs one reports what is wrong.
  pool.on("error", () => {});
  // So does the next statement of a transaction; one that breaks between two would end the process, unheard.
  pool.on("connect", (client) => client.on("error", () => {}));
  const close = async () => {
    if (!pool.ended) await pool.end();
  };
  const database: Database = {
    kind: "postgres",
    orm: postgresDriver().drizzle(pool),
    address,
    listen: (channel, heard) => listenPostgres(url, channel, heard),
    close,
    [Symbol.asyncDispose]: close,
  };
  try {
    await refuseOld(database.orm, address);
    await attempt("migrate the database", database, () => migrateAlone(pool, migrations));
    return database;
  } catch (thrown) {
    await close();
    throw toFault(thrown, { what: "open the database", on: address });
  }
}

function addressOf(url: string): string {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new Fault("configuration", "DATABASE_URL is not a PostgreSQL URL", {
      remedy: "write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    });
  }
  const { hostname, port, searchParams } = new URL(url);
  return `PostgreSQL at ${hostname || searchParams.get("host") || "localhost"}:${port || "5432"}`;
}

async function refuseOld(orm: Database["orm"], address: string): Promise<void> {
  const asked = sql`select current_setting('server_version_num')::int / 10000 as version`;
  const [server] = await rowsOf(orm, asked, z.object({ version: z.number() }));
  if ((server?.version ?? 0) >= oldestVersion) return;
  throw new Fault("configuration", `${address} is version ${server?.version}; Sheaf needs ${oldestVersion} or newer`, {
    remedy: "upgrade that server, or unset DATABASE_URL to use the embedded database",
  });
}

/** One process migrates, the others wait on its transaction's lock and then find nothing left to do. */
async function migrateAlone(pool: Pool, migrations: string): Promise<void> {
  const { drizzle, migrate } = postgresDriver();
  const orm = drizzle(pool);
  if (await isCurrent(migrations, orm)) return;
  await orm.transaction(async (guard) => {
    await guard.execute(sql`select pg_advisory_xact_lock(${migrationLock}::bigint)`);
    if (!(await isCurrent(migrations, orm))) await migrate(orm, { migrationsFolder: migrations });
  });
}
