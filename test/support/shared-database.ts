import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { migrations, template } from "./database.ts";

/**
 * A database of its own on the server that all test files share: a third of the CPU of an embedded one, and a process
 * that holds none starts git in a tenth of the time. What the embedded one does is proven in test/db and test/end-to-end.
 */
export async function openSharedDatabase(): Promise<Database> {
  const url = new URL(inject("postgres"));
  const migrated = url.pathname.slice(1);
  url.pathname = `/test_${randomBytes(6).toString("hex")}`;
  const client = new Client({ connectionString: inject("postgres").replace(/\/[^/]*$/, "/postgres") });
  await client.connect();
  try {
    await client.query(`create database "${url.pathname.slice(1)}" template "${migrated}"`);
  } finally {
    await client.end();
  }
  return openDatabase({ url: url.href, folder: "/nonexistent", template, migrations });
}
