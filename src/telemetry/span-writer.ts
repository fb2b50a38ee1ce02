import type { Clock } from "../protocol/ids.ts";
import type { StoredSpan } from "../protocol/span.ts";
import { type Entry, type Pending, PendingSpans } from "./pending-spans.ts";

export interface SpanWriterOptions {
  /** One call at a time, no span twice in a call. */
  store(rows: StoredSpan[]): Promise<void>;
  warn(message: string): void;
  clock: Clock;
}

/**
 * Gathers rows for a moment and stores them together. A span that is open waits for its end, which makes one row of
 * two, unless it stays open or something below it is written: no row is ever stored before its parent's. What the
 * store refuses is kept and tried again, up to a bound on memory. It never lets a failing store reach its callers.
 */
export class SpanWriter {
  readonly counts = { rowsStored: 0, rowsLost: 0 };
  readonly #options: SpanWriterOptions;
  readonly #pending = new PendingSpans();
  #flushes = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<boolean> | undefined;

  constructor(options: SpanWriterOptions) {
    this.#options = options;
  }

  /** Of a span that goes on. */
  open(entry: Entry): void {
    this.#put({ ...entry, dueAt: this.#options.clock.now() + patienceMs });
  }

  /** Of a span that is over: it replaces its open self. */
  end(entry: Entry): void {
    this.#put({ ...entry, dueAt: 0 });
    const isFull = this.#pending.ended >= mostRows && this.#failures === 0;
    if (isFull && !this.#writing) void this.#writeNext();
  }

  /** Resolves when what was put before is stored, or the store failed three times. Never rejects. */
  async flush(): Promise<void> {
    this.#flushes += 1;
    try {
      await this.#writing;
      // The oldest leave first, so this many batches take with them all that is here now.
      let batches = Math.ceil(this.#pending.size / mostRows) + Math.ceil((2 * this.#pending.bytes) / mostBatchBytes);
      for (let attempts = 3; batches > 0 && attempts > 0 && this.#pending.size > 0; ) {
        if (await this.#writeNext()) batches -= 1;
        else if (--attempts > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    } finally {
      this.#flushes -= 1;
    }
  }

  /** Rows the store has not taken; what they are is lost when the process ends. */
  get waiting(): number {
    return this.#pending.size;
  }

  #writeNext(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#pending.size > 0) this.#schedule(Math.min(delayMs * 2 ** this.#failures, longestDelayMs));
    });
    return this.#writing;
  }

  async #write(): Promise<boolean> {
    const now = this.#flushes > 0 ? Number.POSITIVE_INFINITY : this.#options.clock.now();
    const batch = this.#pending.take(now, { rows: mostRows, bytes: mostBatchBytes });
    try {
      if (batch.length > 0) await this.#options.store(batch.map((entry) => entry.row()));
    } catch (thrown) {
      this.#putBack(batch, thrown);
      return false;
    }
    this.#failures = 0;
    this.counts.rowsStored += batch.length;
    return true;
  }

  #putBack(batch: readonly Pending[], thrown: unknown): void {
    this.#failures += 1;
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    if (this.#failures === 1) this.#options.warn(`spans could not be stored, and will be tried again: ${said}`);
    this.#pending.putBack(batch);
  }

  #put(entry: Pending): void {
    if (this.#pending.bytes + entry.bytes > mostPendingBytes) this.#lose();
    else {
      this.#pending.put(entry);
      this.#schedule(delayMs);
    }
  }

  #lose(): void {
    if (this.counts.rowsLost === 0) this.#options.warn("spans are lost: the store is too slow to take them");
    this.counts.rowsLost += 1;
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => void this.#writeNext(), ms).unref();
  }
}

const delayMs = 400;
/** For the end of an open span. Most calls of tools, and many of models, are over in less. */
const patienceMs = 1_000;
const longestDelayMs = 5_000;
const mostRows = 500;
const mostBatchBytes = 4 * 1024 * 1024;
const mostPendingBytes = 128 * 1024 * 1024;
