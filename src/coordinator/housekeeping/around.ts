import type { ActiveJob } from "../../db/expired-jobs.ts";
import type { CollectionOrder } from "../../protocol/collection.ts";
import type { Equipment } from "../equipment.ts";
import { settledMs } from "./garbage.ts";

/** What each search for garbage is given. */
export interface Around {
  order: CollectionOrder;
  /** Jobs that have not finished, of all nodes, as they were when the search began. */
  active: readonly ActiveJob[];
  now: number;
  /** Repositories of ours that refs were taken from, by their folder. */
  lostRefs: Set<string>;
  equipment: Pick<Equipment, "ceiling" | "clock" | "database" | "git" | "home" | "warn">;
}

/** What has not been touched since then belongs to no job that is at work. Milliseconds since the epoch. */
export function idleSince({ active, now }: Pick<Around, "active" | "now">): number {
  return Math.min(now, ...active.map(({ createdAt }) => createdAt.getTime())) - settledMs;
}

/** Past `keep_ms`: only that far back does anybody say what they do not need. */
export function isPastKeeping(at: number, { order, now }: Pick<Around, "order" | "now">): boolean {
  return order.keep_ms !== undefined && at < now - order.keep_ms;
}

/** When a version 7 id was made (RFC 9562, 5.7), in milliseconds since the epoch. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

export const uuidForm = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
