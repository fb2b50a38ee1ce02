import type { Failure } from "./failure.ts";

/**
 * Something that all work of this process needs is away for a while: its database, room on its disk. Whoever meets that
 * waits here, up to a bound, and whoever watches over the process sees it here. It repeats nothing by itself, and it
 * never says that what is away is back: somebody whom it has answered does.
 */
export class Standstill {
  readonly #options: StandstillOptions;
  readonly #waiting = new Set<() => void>();
  #since = 0;
  #patienceMs: number;
  #reason: Failure | undefined;
  #ended: Failure | undefined;
  readonly #end = Promise.withResolvers<Failure>();

  constructor(options: StandstillOptions) {
    this.#options = options;
    this.#patienceMs = options.patienceMs;
  }

  /** Why work waits, or waited for too long; undefined while all is well. */
  get reason(): Failure | undefined {
    return this.#ended ?? this.#reason;
  }

  /** Resolves when it is over for good: this process cannot go on. */
  get ended(): Promise<Failure> {
    return this.#end.promise;
  }

  /** Waits a while before the next try. False where it has been away for too long, and nobody is to wait any more. */
  async wait(failure: Failure): Promise<boolean> {
    this.#begin(failure);
    const left = this.#since + this.#patienceMs - this.#options.now();
    if (this.#ended || left <= 0) return false;
    await this.#sleep(Math.min(left, this.#pauseMs()));
    return true;
  }

  /** It has answered. Everybody who waits tries again at once. */
  over(): void {
    if (!this.#reason || this.#ended) return;
    this.#reason = undefined;
    this.#options.tell(this.#options.back);
    this.#wake();
  }

  /** It cannot come back to this process. Nobody waits any more. */
  end(failure: Failure): void {
    this.#ended ??= failure;
    this.#end.resolve(this.#ended);
    this.#wake();
  }

  /** This process is leaving: from now on nobody waits for longer than that. */
  hurry(patienceMs: number): void {
    this.#patienceMs = Math.min(this.#patienceMs, patienceMs);
    if (this.#reason) this.#since = Math.max(this.#since, this.#options.now());
    this.#wake();
  }

  #begin(failure: Failure): void {
    if (this.#reason) return;
    this.#reason = failure;
    this.#since = this.#options.now();
    this.#options.tell(this.#options.away(failure));
  }

  /** A quarter of what it has taken so far: a short trouble is noticed soon, a long one costs little. */
  #pauseMs(): number {
    return Math.min(mostPauseMs, leastPauseMs + (this.#options.now() - this.#since) / 4);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

export interface StandstillOptions {
  now(): number;
  /** How long work waits, counted from when it was met first. */
  patienceMs: number;
  /** Tells the operator, once when it begins and once when it is over. */
  tell(message: string): void;
  away(failure: Failure): string;
  back: string;
}

const leastPauseMs = 250;
const mostPauseMs = 5_000;

/** The two things of the kind that a Sheaf process has. */
export interface Standstills {
  /** Its database does not answer. */
  outage: Standstill;
  /** A disk has no room left: that of its data folder, or the database's. */
  room: Standstill;
}
