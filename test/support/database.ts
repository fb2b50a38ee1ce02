import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import type { Clock } from "../../src/protocol/ids.ts";

const root = dirname(dirname(import.meta.dirname));
export const migrations = join(root, "migrations");
/** The one that `npm ci` made; where it did not, the first test file makes it. */
export const template = join(root, "dist", "template");

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
