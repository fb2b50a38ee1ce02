import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../db/database.ts";
import { findJob } from "../db/find-job.ts";
import { eventPage, readJobEvents } from "../db/read-events.ts";
import type { Event } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import { type Result, result } from "../protocol/result.ts";

/**
 * A job's facts as they are stored, for any number of readers: one of them reads the store for all. Nobody is handed
 * anything; each reader takes what it has not seen when it is ready, so a slow one holds nothing but its place.
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

export function openFeeds(database: Database): Feeds {
  const feeds = new Map<JobId, Feed>();
  const feedOf = (id: JobId) => {
    const feed = feeds.get(id) ?? new Feed(id, database, () => feeds.delete(id));
    feeds.set(id, feed);
    return feed;
  };
  return {
    ring: (id) => feeds.get(id)?.ring(),
    read: (id, { after, isFollowed, signal }) =>
      isFollowed ? feedOf(id).read(after, signal) : pages(id, after, database),
    close() {
      for (const feed of feeds.values()) feed.close();
    },
  };
}

async function* pages(id: JobId, after: number, database: Database): AsyncGenerator<PlacedEvent[]> {
  for (let pos = after; ; ) {
    const page = await readJobEvents(id, pos, database);
    if (page.length > 0) yield page;
    if (page.length < eventPage) return;
    pos = page.at(-1)?.pos ?? pos;
  }
}

/** Facts kept for readers that are nearly up to date; the others read the store. */
const kept = 1_000;
/** How long a fact of another process may go unheard. The embedded database has no writer but this process. */
const lookMs = 500;

class Feed {
  readonly #id: JobId;
  readonly #database: Database;
  readonly #onIdle: () => void;
  readonly #waiting = new Set<() => void>();
  #readers = 0;
  #recent: PlacedEvent[] = [];
  #reading: Promise<void> | undefined;
  #isStale = true;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(id: JobId, database: Database, onIdle: () => void) {
    this.#id = id;
    this.#database = database;
    this.#onIdle = onIdle;
  }

  ring(): void {
    this.#isStale = true;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Readers get what is stored and end. */
  close(): void {
    this.#isClosed = true;
    this.ring();
  }

  async *read(after: number, signal: AbortSignal | undefined): AsyncGenerator<PlacedEvent[]> {
    this.#enter();
    try {
      yield* this.#follow(after, signal);
    } finally {
      this.#leave();
    }
  }

  async *#follow(after: number, signal: AbortSignal | undefined): AsyncGenerator<PlacedEvent[]> {
    let state: "unknown" | "running" | "over" = "unknown";
    for (let pos = after; !signal?.aborted; ) {
      const batch = await this.#after(pos);
      const last = batch.at(-1);
      if (last) {
        pos = last.pos;
        yield batch;
        if (last.event.type === "job.finished") return;
      } else if (this.#isClosed || state === "over") return;
      else if (state === "running") await this.#news(signal);
      // Asked once: whoever has the last fact already would wait for another for ever.
      else state = await this.#stateOfJob();
    }
  }

  #enter(): void {
    this.#readers += 1;
    if (this.#database.kind === "postgres") this.#timer ??= setInterval(() => this.ring(), lookMs).unref();
  }

  #leave(): void {
    this.#readers -= 1;
    if (this.#readers > 0) return;
    clearInterval(this.#timer);
    this.#onIdle();
  }

  /** What is stored after `pos`, at most a page. */
  async #after(pos: number): Promise<PlacedEvent[]> {
    if (this.#isStale) await this.#readOn(pos);
    const [first] = this.#recent;
    if (first && pos >= first.pos - 1) return this.#recent.slice(pos - first.pos + 1);
    return readJobEvents(this.#id, pos, this.#database);
  }

  /** One at a time reads for all; it starts where the kept ones end, or at the first reader's place. */
  async #readOn(pos: number): Promise<void> {
    this.#reading ??= this.#read(this.#recent.at(-1)?.pos ?? pos).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(from: number): Promise<void> {
    this.#isStale = false;
    const page = await readJobEvents(this.#id, from, this.#database);
    this.#recent = [...this.#recent, ...page].slice(-kept);
    if (page.length === eventPage) this.#isStale = true;
  }

  /** A job that is over may have ended since the last look at its facts: one more look follows. */
  async #stateOfJob(): Promise<"running" | "over"> {
    const job = await findJob(this.#id, this.#database);
    if (job?.state === "running") return "running";
    this.#isStale = true;
    return "over";
  }

  #news(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isStale || this.#isClosed || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake);
    });
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
