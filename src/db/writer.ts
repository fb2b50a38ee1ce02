import { setTimeout as gather, setImmediate as nextTick } from "node:timers/promises";
import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import { commitAdditions, type Pending } from "./commit-additions.ts";
import type { Consequences } from "./consequences.ts";
import type { Database } from "./database.ts";
import { factRows } from "./fact-rows.ts";

/**
 * The one way facts enter the log. Whatever is waiting when the event loop comes round goes into one statement, and
 * while that runs the next batch gathers. Only where many runs append at once is the next statement held back for a
 * moment: each costs as much as a dozen facts. The order of a run's appends is the order of the calls.
 */
export interface EventWriter extends AsyncDisposable {
  /**
   * Resolves once the facts are committed, and what follows from them with them, with the seq of the first. Throws Fault `fenced` when the run has a new
   * owner, `conflict` when it has finished, and others when the database cannot take them. Callers wait for one
   * append of a run before they make the next; that bounds what is held here to one append a run.
   */
  append(
    run: { runId: string; epoch: number },
    facts: readonly Fact[],
    options?: { spanId?: string; also?: Consequences },
  ): Promise<{ firstSeq: number }>;
  /** Waits for what was handed over; later appends are refused. */
  close(): Promise<void>;
}

export interface WriterLimits {
  /** Most facts, and most bytes of facts, in one statement. One append is never split. */
  rowsPerBatch: number;
  bytesPerBatch: number;
  /** Appends that may wait; one more is refused, since its caller does not wait for acknowledgements. */
  waiting: number;
}

/** Appends in one statement from which on many more are sure to come, and for how long they are waited for. */
const crowd = 6;
const crowdMs = 12;

const usualLimits: WriterLimits = { rowsPerBatch: 1_000, bytesPerBatch: 4_000_000, waiting: 20_000 };

export function createWriter(clock: Clock, database: Database, limits: WriterLimits = usualLimits): EventWriter {
  return new Writer(clock, database, limits);
}

class Writer implements EventWriter {
  readonly #clock: Clock;
  readonly #database: Database;
  readonly #limits: WriterLimits;
  readonly #heads = new Map<string, number>();
  #waiting: Pending[] = [];
  #draining: Promise<void> | undefined;
  #isClosed = false;

  constructor(clock: Clock, database: Database, limits: WriterLimits) {
    this.#clock = clock;
    this.#database = database;
    this.#limits = limits;
  }

  append(
    run: { runId: string; epoch: number },
    facts: readonly Fact[],
    options: { spanId?: string; also?: Consequences } = {},
  ): Promise<{ firstSeq: number }> {
    if (this.#isClosed) return Promise.reject(new Fault("internal", "append after the writer was closed"));
    if (this.#waiting.length >= this.#limits.waiting) {
      return Promise.reject(new Fault("database_unavailable", `${this.#waiting.length} appends wait already`));
    }
    return new Promise((resolve, reject) => {
      const rows = factRows(facts, this.#clock, options.spanId ?? null);
      const bytes = rows.reduce((sum, row) => sum + row.data.length, 0);
      const { runId, epoch } = run;
      this.#waiting.push({ runId, epoch, rows, also: options.also, bytes, isAnswered: false, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#draining;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    // A macrotask before each statement: PGlite answers in microtasks and would let no timer or message in between.
    for (await nextTick(); this.#waiting.length > 0; ) {
      const batch = this.#takeBatch();
      await commitAdditions(batch, this.#heads, this.#database);
      await (batch.length >= crowd ? gather(crowdMs) : nextTick());
    }
    this.#draining = undefined;
  }

  #takeBatch(): Pending[] {
    let rows = 0;
    let bytes = 0;
    const end = this.#waiting.findIndex((each, index) => {
      rows += each.rows.length;
      bytes += each.bytes;
      return index > 0 && (rows > this.#limits.rowsPerBatch || bytes > this.#limits.bytesPerBatch);
    });
    const count = end < 0 ? this.#waiting.length : end;
    return this.#waiting.splice(0, count);
  }
}
