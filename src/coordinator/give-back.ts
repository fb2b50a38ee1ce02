import type { HeldWake } from "../queue/queue.ts";
import type { Equipment } from "./equipment.ts";

/** Until another node, or this one again, is given what did not go on here. */
const laterMs = 5_000;

/**
 * A wake that nobody here works for does not stay this node's, whatever the database says to that: held, it would be
 * renewed for ever, and its job would look like one that somebody works on. Nothing happens to one that is over.
 */
export async function giveBack(
  wake: HeldWake | undefined,
  { jobs, clock }: Pick<Equipment, "jobs" | "clock">,
  afterMs = laterMs,
): Promise<void> {
  if (!wake || !jobs) return;
  // Where this cannot be said now, it is as soon as the database answers.
  await jobs.putBack(wake, new Date(clock.now() + afterMs)).catch(() => jobs.letGo(wake));
}
