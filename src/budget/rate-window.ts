/**
 * At most so much in any minute, whenever that minute begins: a limit that a server cannot find exceeded, whether it
 * counts in fixed minutes, in sliding ones, or by a bucket that fills up. Times are milliseconds.
 */

/** A minute, and what two requests may come nearer to each other on their way. */
const spanMs = 60_250;

export interface Taken {
  readonly at: number;
  amount: number;
}

export class RateWindow {
  readonly limit: number;
  #taken: Taken[] = [];
  #first = 0;
  #sum = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The earliest time at which `amount` more is within the limit; what is larger than the limit waits to be alone. */
  roomAt(now: number, amount: number): number {
    this.#forget(now);
    let over = this.#sum + Math.min(amount, this.limit) - this.limit;
    if (over <= 0) return now;
    for (let index = this.#first; index < this.#taken.length; index++) {
      const entry = this.#taken[index];
      over -= entry?.amount ?? 0;
      if (entry && over <= 0) return entry.at + spanMs;
    }
    return now;
  }

  take(now: number, amount: number): Taken {
    const entry = { at: now, amount };
    this.#taken.push(entry);
    this.#sum += amount;
    return entry;
  }

  /** It was another amount, as is known now. */
  correct(entry: Taken, amount: number): void {
    if (this.#taken[this.#first] && entry.at >= (this.#taken[this.#first]?.at ?? 0)) this.#sum += amount - entry.amount;
    entry.amount = amount;
  }

  #forget(now: number): void {
    for (let entry = this.#taken[this.#first]; entry && entry.at + spanMs <= now; entry = this.#taken[this.#first]) {
      this.#sum -= entry.amount;
      this.#first += 1;
    }
    if (this.#first < 1_024 || this.#first * 2 < this.#taken.length) return;
    this.#taken = this.#taken.slice(this.#first);
    this.#first = 0;
  }
}
