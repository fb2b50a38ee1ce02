import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import type { Clock } from "../../src/protocol/ids.ts";

export const migrations = join(dirname(dirname(import.meta.dirname)), "migrations");
/** One template for all test files, made by whichever comes first. */
export const template = join(tmpdir(), "sheaf-test-template");

/** A clock that ticks a millisecond each time somebody looks. */
export function tickingClock(start = Date.UTC(2026, 0, 1)): Clock {
  let now = start;
  return { now: () => now++, random: (count) => randomBytes(count) };
}

/** A PGlite of its own in a temporary folder, which goes when it is closed. */
export async function openTestDatabase(): Promise<Database> {
  const folder = join(tmpdir(), `sheaf-db-${randomBytes(6).toString("hex")}`);
  const database = await openDatabase({ folder, template, migrations });
  const close = async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...database, close, [Symbol.asyncDispose]: close };
}
