import type { StoredSpan } from "../protocol/span.ts";

export interface SpanWriterOptions {
  /** One call at a time, no span twice in a call. */
  store(rows: StoredSpan[]): Promise<void>;
  warn(message: string): void;
}

/**
 * Gathers rows for a moment and stores them together; a span that ended meanwhile costs one row. What the store
 * refuses is kept and tried again, up to a bound on memory. It never lets a failing store reach its callers.
 */
export class SpanWriter {
  readonly counts = { rowsStored: 0, rowsLost: 0 };
  readonly #options: SpanWriterOptions;
  readonly #pending = new Map<string, Entry>();
  #bytes = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<boolean> | undefined;

  constructor(options: SpanWriterOptions) {
    this.#options = options;
  }

  /** A later row of the same span replaces an earlier one. `bytes` is a rough size. */
  put(row: StoredSpan, bytes: number): void {
    if (this.#bytes + bytes > mostPendingBytes) {
      this.#lose();
      return;
    }
    this.#keep(`${row.trace_id}${row.span_id}`, { row, bytes });
    const isFull = this.#pending.size >= mostRows && this.#failures === 0;
    if (isFull && !this.#writing) void this.#writeNext();
    else this.#schedule(delayMs);
  }

  /** Resolves when what was put before is stored, or the store failed three times. Never rejects. */
  async flush(): Promise<void> {
    await this.#writing;
    // The oldest leave first, so this many batches take with them all that is here now.
    let batches = Math.ceil(this.#pending.size / mostRows) + Math.ceil((2 * this.#bytes) / mostBatchBytes);
    for (let attempts = 3; batches > 0 && attempts > 0 && this.#pending.size > 0; ) {
      if (await this.#writeNext()) batches -= 1;
      else if (--attempts > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
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
    const batch = this.#take();
    try {
      if (batch.length > 0) await this.#options.store(batch.map(([, entry]) => entry.row));
    } catch (thrown) {
      this.#putBack(batch, thrown);
      return false;
    }
    this.#failures = 0;
    this.counts.rowsStored += batch.length;
    return true;
  }

  #take(): [string, Entry][] {
    const batch: [string, Entry][] = [];
    let size = 0;
    for (const [key, entry] of this.#pending) {
      if (batch.length >= mostRows || (batch.length > 0 && size + entry.bytes > mostBatchBytes)) break;
      size += entry.bytes;
      batch.push([key, entry]);
    }
    for (const [key] of batch) this.#pending.delete(key);
    this.#bytes -= size;
    return batch;
  }

  #putBack(batch: readonly [string, Entry][], thrown: unknown): void {
    this.#failures += 1;
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    if (this.#failures === 1) this.#options.warn(`spans could not be stored, and will be tried again: ${said}`);
    // A newer row of the same span came meanwhile: that one counts.
    for (const [key, entry] of batch) if (!this.#pending.has(key)) this.#keep(key, entry);
  }

  #keep(key: string, entry: Entry): void {
    this.#bytes += entry.bytes - (this.#pending.get(key)?.bytes ?? 0);
    this.#pending.set(key, entry);
  }

  #lose(): void {
    if (this.counts.rowsLost === 0) this.#options.warn("spans are lost: the store is too slow to take them");
    this.counts.rowsLost += 1;
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => void this.#writeNext(), ms).unref();
  }
}

interface Entry {
  row: StoredSpan;
  bytes: number;
}

/** A request to a model is often over in less, and its span is then one row and not two. */
const delayMs = 400;
const longestDelayMs = 5_000;
const mostRows = 500;
const mostBatchBytes = 4 * 1024 * 1024;
const mostPendingBytes = 128 * 1024 * 1024;
