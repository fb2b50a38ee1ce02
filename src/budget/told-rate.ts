/**
 * What an endpoint said is left of one of its rates: a bucket that fills up evenly until its reset, as its headers mean
 * it. What was sent after the request that was answered so is taken off. An endpoint that refuses in spite of it counts
 * in steps, and is waited for until its reset. Times are milliseconds.
 */
export interface ToldWindow {
  limit?: number | undefined;
  remaining?: number | undefined;
  reset_ms?: number | undefined;
}

/** Refusals in spite of what should have come back, until it is believed to come back all at once. */
const mostSurprises = 2;
/** Share of a bucket that must be missing for its pace to be read. */
const leastMissing = 0.2;

export class ToldRate {
  /** All that was ever sent, in the unit of this rate. */
  #sent = 0;
  #limit = Number.POSITIVE_INFINITY;
  #left = Number.POSITIVE_INFINITY;
  /** The same without what has come back with time. */
  #toldLeft = Number.POSITIVE_INFINITY;
  /** When `left` was so. */
  #at = 0;
  #perMs = 0;
  #resetAt = Number.POSITIVE_INFINITY;
  /** How much of the sent the newest answer knew of. */
  #known = 0;
  #surprises = 0;

  /** Returns a mark for `told`. */
  send(amount: number): number {
    this.#sent += amount;
    this.#left -= amount;
    this.#toldLeft -= amount;
    return this.#sent;
  }

  /** It was not sent after all. */
  unsend(amount: number): void {
    this.#sent -= amount;
    this.#left += amount;
    this.#toldLeft += amount;
  }

  /** The answer to the request of that mark; one that is older than what was heard before says nothing. */
  told({ limit, remaining, reset_ms }: ToldWindow, mark: number, now: number): void {
    if (remaining === undefined || mark < this.#known) return;
    this.#refill(now);
    this.#known = mark;
    this.#limit = Math.max(limit ?? remaining, remaining);
    // It says whole numbers: what we reckoned with stands where it is no more than one above.
    const told = remaining - (this.#sent - mark);
    if (!(this.#left >= told && this.#left < told + 1)) this.#left = told;
    this.#toldLeft = told;
    this.#at = now;
    this.#resetAt = reset_ms === undefined ? Number.POSITIVE_INFINITY : now + reset_ms;
    const missing = this.#limit - remaining;
    // A time in whole seconds says little of a bucket that is nearly full.
    if (reset_ms && missing >= this.#limit * leastMissing) this.#perMs = missing / reset_ms;
  }

  /** Whether the last that was sent went on what should have come back with time. */
  get isByTime(): boolean {
    return this.#toldLeft < 0;
  }

  /** How a request went that was sent on what should have come back. */
  foundOut({ isRefused }: { isRefused: boolean }): void {
    this.#surprises = isRefused ? this.#surprises + 1 : Math.max(0, this.#surprises - 1);
  }

  /** The earliest time for `amount` more; infinite where only another answer can tell. */
  roomAt(now: number, amount: number): number {
    this.#refill(now);
    const short = Math.min(amount, this.#limit) - this.#left;
    if (!(short > 0)) return now;
    if (this.#isStepped || this.#perMs <= 0) return this.#resetAt;
    return Math.ceil(now + short / this.#perMs);
  }

  /** What was told counts for nothing any more. */
  forget(): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.#toldLeft = Number.POSITIVE_INFINITY;
  }

  get #isStepped(): boolean {
    return this.#surprises >= mostSurprises;
  }

  #refill(now: number): void {
    if (this.#isStepped || this.#perMs <= 0) {
      if (now < this.#resetAt) return;
      this.#left = this.#limit;
      this.#toldLeft = this.#limit;
      this.#resetAt = Number.POSITIVE_INFINITY;
    } else this.#left = Math.min(this.#limit, this.#left + this.#perMs * (now - this.#at));
    this.#at = now;
  }
}
