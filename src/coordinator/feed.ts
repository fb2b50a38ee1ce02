import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../db/database.ts";
import { findJob } from "../db/find-job.ts";
import { eventPage, readJobEvents } from "../db/read-events.ts";
import type { Event } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import { type Result, result } from "../protocol/result.ts";

/**
 * A job's facts as they are stored, for readers who wait for more. Nobody is handed anything: a reader is told that
 * there may be something, and takes what it has not seen when it is ready, so a slow one holds nothing but its place.
 */
export interface PlacedEvent {
  /** Its place among the job's facts: gapless from 1, in the order in which they were committed. */
  pos: number;
  event: Event;
}

export interface Feeds {
  /** Something was stored for that job. */
  ring(id: JobId): void;
  read(
    id: JobId,
    options: { after: number; isFollowed: boolean; signal?: AbortSignal | undefined },
  ): AsyncGenerator<PlacedEvent[]>;
  /** Ends all readers once they have what is stored. */
  close(): void;
}

/** How long facts may gather before they are read, for readers who wait; nobody sees the difference. */
const gatherMs = 30;
/** How long a fact of another process may go unheard. The embedded database has no writer but this process. */
const lookMs = 500;

export function openFeeds(database: Database): Feeds {
  const bell = new Bell();
  return {
    ring: (id) => bell.ring(id),
    read: (id, options) => read(id, options, { bell, database }),
    close: () => bell.close(),
  };
}

async function* read(
  id: JobId,
  { after, isFollowed, signal }: { after: number; isFollowed: boolean; signal?: AbortSignal | undefined },
  { bell, database }: { bell: Bell; database: Database },
): AsyncGenerator<PlacedEvent[]> {
  let seen = yield* pages(id, after, database);
  if (!isFollowed || seen.isEnd) return;
  // Whoever has the last fact already would wait for another for ever; a job that has ended gets one more look.
  const isOver = (await findJob(id, database))?.state !== "running";
  while (!signal?.aborted) {
    // Before the look: what is stored while it lasts rings this one.
    using news = bell.listen(id, { signal, ...(database.kind === "postgres" ? { mostMs: lookMs } : {}) });
    seen = yield* pages(id, seen.pos, database);
    if (seen.isEnd || isOver || bell.isClosed) return;
    await news.heard;
    // One look for all that is stored in a moment: a look costs as much as three facts.
    if (!bell.isClosed) await wait(gatherMs, undefined, { ref: false });
  }
}

/** All that is stored now; answers where that ends. */
async function* pages(
  id: JobId,
  after: number,
  database: Database,
): AsyncGenerator<PlacedEvent[], { pos: number; isEnd: boolean }> {
  for (let pos = after; ; ) {
    const page = await readJobEvents(id, pos, database);
    const last = page.at(-1);
    if (last) yield page;
    pos = last?.pos ?? pos;
    const isEnd = last?.event.type === "job.finished";
    if (isEnd || page.length < eventPage) return { pos, isEnd };
  }
}

class Bell {
  isClosed = false;
  readonly #listeners = new Map<JobId, Set<() => void>>();

  ring(id: JobId): void {
    for (const hear of this.#listeners.get(id) ?? []) hear();
  }

  close(): void {
    this.isClosed = true;
    for (const id of this.#listeners.keys()) this.ring(id);
  }

  listen(
    id: JobId,
    { signal, mostMs }: { signal?: AbortSignal | undefined; mostMs?: number },
  ): Disposable & { heard: Promise<void> } {
    const { promise, resolve: hear } = Promise.withResolvers<void>();
    const all = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, all.add(hear));
    const timer = mostMs === undefined ? undefined : setTimeout(hear, mostMs).unref();
    const stop = () => hear();
    signal?.addEventListener("abort", stop);
    const leave = () => {
      signal?.removeEventListener("abort", stop);
      clearTimeout(timer);
      all.delete(hear);
      if (all.size === 0) this.#listeners.delete(id);
    };
    return { heard: promise, [Symbol.dispose]: leave };
  }
}

/** The result of a job that somebody else submitted, when it has ended. */
export async function endOfJob(id: JobId, database: Database): Promise<Result> {
  for (;;) {
    const job = await findJob(id, database);
    if (!job) throw new Fault("unknown_job", `job ${id} is not stored any more`);
    if (job.result !== undefined) return result.parse(job.result);
    await wait(lookMs);
  }
}
