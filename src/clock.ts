import { randomBytes } from "node:crypto";
import type { Clock } from "./protocol/ids.ts";

/** This machine's time and chance. Everything else is given them. */
export const systemClock: Clock = { now: () => performance.timeOrigin + performance.now(), random: randomFromPool };

/** Asking the system for 16 bytes costs 3 us, as much as a tenth of an event's way into the log. */
const poolBytes = 16_384;
let pool = new Uint8Array(0);
let taken = 0;

/** The caller may keep and change what it gets: no byte is given out twice. */
function randomFromPool(count: number): Uint8Array {
  if (taken + count > pool.length) {
    pool = randomBytes(Math.max(poolBytes, count));
    taken = 0;
  }
  taken += count;
  return pool.subarray(taken - count, taken);
}
