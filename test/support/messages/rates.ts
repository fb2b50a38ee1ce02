/** Requests that may come in: a bucket that refills all the time, as the real endpoint's does. */
export interface Rate {
  perMinute: number;
  /** What it holds when it is full; absent: a minute's worth. */
  burst?: number;
}

export interface Bucket {
  /** Takes one; says when there will be one again where there is none. */
  take(): { headers: Record<string, string>; retryAfterMs?: number };
}

export function createBucket({ perMinute, burst = perMinute }: Rate, now: () => number = Date.now): Bucket {
  const perMs = perMinute / 60_000;
  let held = burst;
  let at = now();
  return {
    take() {
      const time = now();
      held = Math.min(burst, held + (time - at) * perMs);
      at = time;
      const isThere = held >= 1;
      if (isThere) held -= 1;
      const reset = new Date(time + (burst - held) / perMs).toISOString();
      const headers = {
        "anthropic-ratelimit-requests-limit": String(perMinute),
        "anthropic-ratelimit-requests-remaining": String(Math.floor(held)),
        "anthropic-ratelimit-requests-reset": reset,
      };
      return isThere ? { headers } : { headers, retryAfterMs: Math.ceil((1 - held) / perMs) };
    },
  };
}
