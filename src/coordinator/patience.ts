import type { Database } from "../db/database.ts";
import { type Failure, Fault } from "../protocol/failure.ts";
import { Standstill, type Standstills } from "../protocol/standstill.ts";
import type { Equipment } from "./equipment.ts";

/**
 * What work does while its database is away or a disk is full: it waits, and the operator is told. Whoever only looks, or
 * brings new work, is not made to wait: that is refused at once, with the reason.
 */
export function openStandstills(now: () => number, tell: (message: string) => void): Standstills {
  return {
    outage: new Standstill({
      now,
      tell,
      patienceMs,
      away: ({ message }) => `the database does not answer; work waits: ${message}`,
      back: "the database answers again; work goes on",
    }),
    room: new Standstill({
      now,
      tell,
      patienceMs,
      away: ({ message }) => `a disk is full; work waits: ${message}; free some space (sheaf gc)`,
      back: "there is room on the disk again; work goes on",
    }),
  };
}

/** What is away for longer than that is not waited for: jobs are left to whoever comes next. */
const patienceMs = 300_000;
/** The same, for a process that is leaving. */
const leavingPatienceMs = 5_000;

/** The same database for work, which waits. */
export function patiently<D extends Database>(database: D): D {
  return { ...database, isPatient: true };
}

/** For what a job does. */
export function withPatience(equipment: Equipment): Equipment {
  return { ...equipment, database: patiently(equipment.database) };
}

/** Nothing that is away is waited for much longer. */
export function hurry({ database: { standstills } }: Equipment): void {
  standstills?.outage.hurry(leavingPatienceMs);
  standstills?.room.hurry(leavingPatienceMs);
}

/** Why this process cannot work now, for whoever watches over it or brings work. */
export function standstillOf({ database: { standstills } }: Pick<Equipment, "database">): Failure | undefined {
  return standstills?.outage.reason ?? standstills?.room.reason;
}

/**
 * What a job that is let go of ends with here, when the store has not taken what it was given; undefined for what is the
 * job's own trouble. Nothing of it is lost: its log says how far it came.
 */
export function leftToNext(thrown: unknown): Fault | undefined {
  if (!(thrown instanceof Fault) || !(thrown.code in remedies)) return undefined;
  return new Fault(thrown.code, `${thrown.message}; the job is kept as it was, and was not ended`, {
    remedy: remedies[thrown.code] ?? "",
    cause: thrown,
  });
}

const remedies: Readonly<Record<string, string>> = {
  database_unavailable: "once the database answers, run it again or start `sheaf serve`: it goes on from its log",
  storage_full: "free some space, and run it again or start `sheaf serve`: it goes on from its log",
};
