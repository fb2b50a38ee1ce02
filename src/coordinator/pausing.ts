/**
 * How a job comes to rest without losing what it pays for: nothing new is begun, and what is under way comes to the end of
 * its turn or step and waits there. Once nothing moves any more the job is let go of. It stops nothing by force.
 */
export class Pausing {
  readonly #signal: AbortSignal;
  readonly #onQuiet: () => void;
  readonly #waiting = new Set<() => void>();
  #isAsked = false;
  #isQuiet = false;
  /** What the job is doing at the moment; its own story is one of them. */
  #moving = 1;

  /** `signal`: the job's; aborted, nobody waits here any more. */
  constructor(signal: AbortSignal, onQuiet: () => void) {
    this.#signal = signal;
    this.#onQuiet = onQuiet;
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  ask(): void {
    this.#isAsked = true;
    this.#look();
  }

  /** Goes on with all that waits; false where the job has been let go of already. */
  goOn(): boolean {
    if (this.#isQuiet) return false;
    this.#isAsked = false;
    for (const wake of [...this.#waiting]) wake();
    return true;
  }

  /** One more thing that is under way, until it has ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#moving += 1;
    try {
      return await work();
    } finally {
      this.#moving -= 1;
      this.#look();
    }
  }

  /** Waits for others, or for people: nothing moves meanwhile on its account. */
  async without<T>(wait: () => Promise<T>): Promise<T> {
    this.#moving -= 1;
    this.#look();
    try {
      return await wait();
    } finally {
      this.#moving += 1;
    }
  }

  /** A place where work may rest: resolves when it may go on, throws the reason when the job is over or let go of. */
  async point(): Promise<void> {
    while (this.#isAsked && !this.#signal.aborted) await this.without(() => this.#rest());
    this.#signal.throwIfAborted();
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        this.#signal.removeEventListener("abort", wake);
        resolve();
      };
      // It may have been the last that moved, and the job has been let go of with that.
      if (this.#signal.aborted) return resolve();
      this.#waiting.add(wake);
      this.#signal.addEventListener("abort", wake, { once: true });
    });
  }

  #look(): void {
    if (!this.#isAsked || this.#isQuiet || this.#moving > 0 || this.#signal.aborted) return;
    this.#isQuiet = true;
    this.#onQuiet();
  }
}
