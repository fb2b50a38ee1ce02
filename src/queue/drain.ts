import { attempt } from "../db/attempt.ts";
import type { Database } from "../db/database.ts";
import type { Clock } from "../protocol/ids.ts";
import type { Bell } from "./bell.ts";
import type { Holds } from "./holds.ts";
import { heldAmong, type QueueName, returnWakes } from "./wakes.ts";

export interface DrainOrder {
  name: QueueName;
  database: Database;
  clock: Clock;
  holds: Holds;
  /** Rung when something may have ended. */
  endings: Bell;
}

/** What ends in other people's transactions rings no bell that is sure to be heard. */
const lookMs = 100;

/** Waits until nothing is held, for `graceMs` at most, and puts back what still is. Fetching has stopped before. */
export async function drainHolds(graceMs: number, order: DrainOrder): Promise<void> {
  const { clock, database, endings, holds, name } = order;
  const deadline = clock.now() + graceMs;
  for (;;) {
    await settle(order);
    const left = deadline - clock.now();
    if (holds.isEmpty || left <= 0) break;
    await endings.sleep(Math.min(left, lookMs), 0);
  }
  const ids = holds.list().map(({ id }) => id);
  if (ids.length === 0) return;
  holds.end(ids);
  await attempt("put wakes back", database, (orm) => returnWakes(name, { ids }, orm));
  holds.drop(ids);
}

/** Forgets what other people's transactions have ended. */
async function settle({ database, holds, name }: DrainOrder): Promise<void> {
  const ending = holds.ending();
  if (ending.length === 0) return;
  const still = await attempt("look at wakes", database, (orm) => heldAmong(name, ending, orm));
  holds.drop(ending.filter((id) => !still.has(id)));
}
