import { setTimeout as sleep } from "node:timers/promises";
import { type Complaint, complaint, toFault } from "./complaint.ts";
import type { Database, Orm } from "./database.ts";

const tries = 6;
const firstPauseMs = 25;

/**
 * Runs `work` against the database and repeats it when the connection broke or another transaction won, since a lost
 * acknowledgement looks just like a lost statement. So `work` must be idempotent: same ids, compare before write.
 * Throws Fault in terms of `what` (such as "append events").
 */
export async function attempt<T>(what: string, database: Database, work: (orm: Orm) => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work(database.orm);
    } catch (thrown) {
      if (round === tries || !isPassing(complaint(thrown).kind)) throw toFault(thrown, { what, on: database.address });
    }
    await sleep(firstPauseMs * 2 ** round);
  }
}

function isPassing(kind: Complaint["kind"]): boolean {
  return kind === "connection" || kind === "rivalry";
}
