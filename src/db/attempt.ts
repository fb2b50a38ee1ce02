import { setTimeout as sleep } from "node:timers/promises";
import { type Failure, toFailure } from "../protocol/failure.ts";
import type { Standstill } from "../protocol/standstill.ts";
import { type Complaint, complaint, toFault } from "./complaint.ts";
import type { Database, Orm } from "./database.ts";

const tries = 6;
const firstPauseMs = 25;

/**
 * Runs `work` against the database and repeats it when the connection broke or another transaction won, since a lost
 * acknowledgement looks just like a lost statement. So `work` must be idempotent: same ids, compare before write. A
 * patient database is waited for, in its standstill; for others a second or two has to do.
 * Throws Fault in terms of `what` (such as "append events").
 */
export async function attempt<T>(what: string, database: Database, work: (orm: Orm) => Promise<T>): Promise<T> {
  let waited: Standstill | undefined;
  for (let round = 1; ; round++) {
    try {
      const answer = await work(database.orm);
      database.standstills?.outage.over();
      waited?.over();
      return answer;
    } catch (thrown) {
      const { kind } = complaint(thrown);
      if (isPassing(kind) && round < tries) {
        await sleep(firstPauseMs * 2 ** round);
        continue;
      }
      const fault = toFault(thrown, { what, on: database.address });
      waited = await waitOut(kind, toFailure(fault), database);
      if (!waited) throw fault;
      round = roundAfterWait;
    }
  }
}

/** What answers again may still be rivals'; what does not is not asked six times more. */
const roundAfterWait = tries - 3;

function isPassing(kind: Complaint["kind"]): boolean {
  return kind === "connection" || kind === "rivalry";
}

/** Undefined where there is nothing to wait for, or nobody does any more. */
async function waitOut(
  kind: Complaint["kind"],
  failure: Failure,
  { standstills, isPatient }: Database,
): Promise<Standstill | undefined> {
  if (kind === "dead") standstills?.outage.end(failure);
  const place = kind === "connection" ? standstills?.outage : kind === "full" ? standstills?.room : undefined;
  return isPatient && (await place?.wait(failure)) ? place : undefined;
}
