import type { Orm } from "../db/database.ts";
import type { HeldWake } from "../queue/queue.ts";
import type { Equipment } from "./equipment.ts";

/** With the end of a job, in the same transaction: nobody is to be woken for it any more. */
export function leaving(wake: HeldWake | undefined, { jobs }: Equipment): ((orm: Orm) => Promise<void>) | undefined {
  if (!wake || !jobs) return undefined;
  return async (orm) => void (await jobs.complete([wake], orm));
}
