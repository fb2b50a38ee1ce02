import type { Orm } from "../db/database.ts";
import { Fault } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import { countWakes, type QueueName } from "./wakes.ts";

/** Looking costs as much as there are rows, so it is done once in this time at most, and what was sent since is added. */
const freshMs = 1_000;

/** How many wakes may wait. What other nodes sent in the last second it does not know: the bound is one of size. */
export interface Backlog {
  /** Throws Fault `overloaded` when `count` more would be too many. */
  admit(count: number, orm: Orm): Promise<void>;
}

export function createBacklog(queue: { name: QueueName; most: number }, clock: Clock): Backlog {
  let waiting = 0;
  let countedAt = Number.NEGATIVE_INFINITY;
  return {
    async admit(count, orm) {
      if (waiting + count > queue.most || clock.now() - countedAt > freshMs) {
        waiting = (await countWakes(queue.name, orm)).queued;
        countedAt = clock.now();
      }
      if (waiting + count > queue.most) throw overloaded(queue, waiting);
      waiting += count;
    },
  };
}

function overloaded({ name, most }: { name: QueueName; most: number }, waiting: number): Fault {
  return new Fault("overloaded", `${waiting} ${name} wait already, and no more than ${most} may`, {
    remedy: "try again once some of them are done, or let more nodes work on them",
  });
}
