import { attempt } from "../db/attempt.ts";
import type { Database } from "../db/database.ts";
import type { Clock, RunId } from "../protocol/ids.ts";
import type { Holds } from "./holds.ts";
import type { HeldWake, QueueLimits, Wake } from "./queue.ts";
import { findHeld, holdWake, type QueueName } from "./wakes.ts";

export interface HoldOrder {
  name: QueueName;
  holder: string;
  limits: QueueLimits;
  leaseMs: number;
  database: Database;
  clock: Clock;
  holds: Holds;
  /** What is on its way: the pump must not take it for something that nobody here knows. */
  coming: Set<{ runId: RunId }>;
}

/** A wake that is held from the start, beside the pump; undefined where there is no room. */
export async function holdFromStart(wake: Omit<Wake, "startAfter">, order: HoldOrder): Promise<HeldWake | undefined> {
  const { clock, coming, database, holds } = order;
  const askedAt = clock.now();
  let rounds = 0;
  coming.add(wake);
  try {
    const held = await attempt("hold a wake", database, async (orm) => {
      rounds += 1;
      // The answer to the first try may have been lost.
      const mine = rounds === 1 ? undefined : await findHeld(order, wake.runId, orm);
      return mine ?? (await holdWake(order, wake, orm));
    });
    if (held) holds.take([held], askedAt);
    return held;
  } finally {
    coming.delete(wake);
  }
}
