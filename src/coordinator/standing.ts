import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "../protocol/failure.ts";
import type { Standstill } from "../protocol/standstill.ts";
import { leftToNext } from "./patience.ts";

/**
 * Whether this process still has a job. A process that was frozen, or cut off from the database, may have lost it without
 * knowing: so it asks here after each append, before what the append announced is done. It may never be told that it has
 * what it has not.
 */
export interface Standing {
  /** Resolves while the job is this process's. Waits where nobody can say; throws Fault `fenced` once it is not. */
  confirm(): Promise<void>;
  /** It is somebody else's, or nobody's, from now on. `fault`: what is thrown at whoever still works on it. */
  giveUp(why: string, fault?: Fault): void;
}

const lookMs = 100;
const silence = {
  code: "database_unavailable",
  message: "the database does not say whether the job is still this process's",
} as const;
/** A process that was frozen is told at once when it goes on; longer than that is an outage. */
const usualLooks = 10;

/**
 * `leaseUntil`: milliseconds since the epoch; absent where no other process can take a job. `outage`: what the database's
 * silence is waited out in, and no longer than that.
 */
export function createStanding(now: () => number, leaseUntil?: () => number, outage?: Standstill): Standing {
  let lost: Fault | undefined;
  return {
    async confirm() {
      for (let look = 0; lost === undefined && leaseUntil !== undefined && leaseUntil() <= now(); look++) {
        if (look < usualLooks || !outage) await wait(lookMs);
        else if (!(await outage.wait(silence))) lost ??= leftToNext(new Fault(silence.code, silence.message));
      }
      if (lost) throw lost;
    },
    giveUp(why, fault) {
      lost ??= fault ?? new Fault("fenced", why, { remedy: "whoever has the job now goes on with it from its log" });
    },
  };
}
