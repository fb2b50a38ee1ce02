import { createRequire } from "node:module";
import type * as core from "drizzle-orm";
import type * as migrator from "drizzle-orm/migrator";
import type * as nodePostgres from "drizzle-orm/node-postgres";
import type * as nodePostgresMigrator from "drizzle-orm/node-postgres/migrator";
import type * as pgCore from "drizzle-orm/pg-core";
import type * as pglite from "drizzle-orm/pglite";
import type * as pgliteMigrator from "drizzle-orm/pglite/migrator";

/**
 * drizzle by its CommonJS build. For every ES module of a package Node reads the package's manifest anew; drizzle's is
 * 180 kB, over a hundred modules: 0.7 s of CPU in each process, against 0.1 s this way. Its types are the same.
 */
// drizzle-kit reads the schema as CommonJS, where a module has no address.
const load = createRequire(import.meta.url ?? `${process.cwd()}/`);

export const { and, asc, desc, eq, gt, inArray, isNull, sql } = load("drizzle-orm") as typeof core;

export const {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} = load("drizzle-orm/pg-core") as typeof pgCore;

export const { readMigrationFiles } = load("drizzle-orm/migrator") as typeof migrator;

/** Loaded by whoever opens that kind of database. */
export function pgliteDriver() {
  const { drizzle } = load("drizzle-orm/pglite") as typeof pglite;
  const { migrate } = load("drizzle-orm/pglite/migrator") as typeof pgliteMigrator;
  return { drizzle, migrate };
}

export function postgresDriver() {
  const { drizzle } = load("drizzle-orm/node-postgres") as typeof nodePostgres;
  const { migrate } = load("drizzle-orm/node-postgres/migrator") as typeof nodePostgresMigrator;
  return { drizzle, migrate };
}
