import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withFileLock } from "../../db/lock.ts";

/**
 * Of a data folder, held by whoever clears away what is in it, or reads all of it and must miss nothing meanwhile. Throws
 * Fault `locked` where another one is still at it after a second.
 */
export async function withCollectionLock<T>(home: string, work: () => Promise<T>): Promise<T> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  return withFileLock(join(home, "gc.lock"), work, patienceMs);
}

/** One that has little to do ends within that; another one takes minutes. */
const patienceMs = 1_000;
