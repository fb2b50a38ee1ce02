import { randomFillSync } from "node:crypto";
import type { Clock } from "../protocol/ids.ts";

/** Time and chance of a thread. Random bytes are fetched many at a time: a call for the few of one span id costs as much. */
export const threadClock: Clock = { now: () => performance.timeOrigin + performance.now(), random };

const pool = new Uint8Array(4_096);
let next = pool.length;

function random(count: number): Uint8Array {
  if (count > pool.length) return randomFillSync(new Uint8Array(count));
  if (next + count > pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  next += count;
  return pool.slice(next - count, next);
}
