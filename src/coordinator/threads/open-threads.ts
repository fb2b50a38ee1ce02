import type { Clock } from "../../protocol/ids.ts";
import { openPool, type Pool, type PoolOptions } from "./pool.ts";
import { type ThreadWatch, watchThreads } from "./watch-threads.ts";

/**
 * Runs in one thread at a time. More than any sensible concurrency makes of it, those included that wait for people:
 * dispatch is what bounds the work.
 */
const runsPerThread = 4_096;
/** How long a thread may be fully busy without a word of any run in it. A parse of the largest file takes far less. */
const stallMs = 20_000;

export interface ThreadOptions extends Omit<PoolOptions, "runsPerThread" | "now"> {
  /** Milliseconds; absent means long enough for any honest work. */
  stallMs?: number;
}

/** The pool and the watch over it. */
export function openThreads(options: ThreadOptions, clock: Clock): { pool: Pool; watch: ThreadWatch } {
  const now = () => clock.now();
  const pool = openPool({ ...options, runsPerThread, now });
  const watch = watchThreads({ threads: pool.threads, stallMs: options.stallMs ?? stallMs, now });
  return { pool, watch };
}
