import { mostPauseMs } from "./lane.ts";

const firstMs = 500;
const mostMs = 60_000;

/**
 * Milliseconds before another attempt (`attempt` from 2) at a call: exponential with full jitter, and never less than
 * the endpoint asked for, up to what a lane pauses. `random` is from 0 to 1.
 */
export function backoffMs(attempt: number, random: number, retryAfterMs = 0): number {
  const most = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 2, 20));
  return Math.max(Math.min(retryAfterMs, mostPauseMs), Math.round(random * most));
}
