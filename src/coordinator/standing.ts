import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "../protocol/failure.ts";

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

/** `leaseUntil`: milliseconds since the epoch; absent where no other process can take a job. */
export function createStanding(now: () => number, leaseUntil?: () => number): Standing {
  let lost: Fault | undefined;
  return {
    async confirm() {
      while (lost === undefined && leaseUntil !== undefined && leaseUntil() <= now()) await wait(lookMs);
      if (lost) throw lost;
    },
    giveUp(why, fault) {
      lost ??= fault ?? new Fault("fenced", why, { remedy: "whoever has the job now goes on with it from its log" });
    },
  };
}
