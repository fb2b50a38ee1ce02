import { attempt } from "../db/attempt.ts";
import type { Database } from "../db/database.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../protocol/ids.ts";
import type { Holds } from "./holds.ts";
import type { HeldWake, WakeListeners } from "./queue.ts";
import { buryWake, type QueueName } from "./wakes.ts";

/**
 * Between the pump and who listens: nothing that a listener throws reaches the pump, and no wake that a listener could
 * not take is lost with it.
 */
export interface HandOver {
  /** As work, or as poison when it has outlived too many. */
  deliver(wake: HeldWake): void;
  lost(wake: HeldWake): void;
}

export interface HandOverOrder {
  name: QueueName;
  mostCrashes: number;
  database: Database;
  clock: Clock;
  log: Log;
  holds: Holds;
  putBack(wake: HeldWake, startAfter: Date): Promise<void>;
  letGo(wake: HeldWake): void;
}

/** After a listener that threw. */
const retryMs = 5_000;

export function createHandOver(order: HandOverOrder, listeners: WakeListeners): HandOver {
  return {
    deliver(wake) {
      if (wake.crashes > order.mostCrashes) void bury(wake, order, listeners);
      else tell(wake, order, listeners.take);
    },
    lost: (wake) => {
      try {
        listeners.lost(wake);
      } catch (thrown) {
        order.log.error("a lost wake could not be told", { run: wake.runId, error: thrown });
      }
    },
  };
}

function tell(wake: HeldWake, order: HandOverOrder, take: WakeListeners["take"]): void {
  try {
    take(wake);
  } catch (thrown) {
    returnLater(wake, thrown, order);
  }
}

async function bury(wake: HeldWake, order: HandOverOrder, { poison }: WakeListeners): Promise<void> {
  const { database, holds, name } = order;
  try {
    await poison(wake);
    holds.end([wake.id]);
    await attempt("bury a wake", database, (orm) => buryWake(name, wake.id, orm));
    holds.drop([wake.id]);
  } catch (thrown) {
    holds.keep([wake.id]);
    returnLater(wake, thrown, order);
  }
}

/** Where that fails as well it goes back as soon as the database answers: held, it would be renewed for ever. */
function returnLater(wake: HeldWake, thrown: unknown, { clock, log, putBack, letGo }: HandOverOrder): void {
  log.error("a wake could not be handed over", { run: wake.runId, error: thrown });
  putBack(wake, new Date(clock.now() + retryMs)).catch((error: unknown) => {
    log.error("a wake could not be put back", { run: wake.runId, error });
    letGo(wake);
  });
}
