/** Lets a bounded number through; the others wait in the order they came. */
export class Turnstile {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Rejects with the signal's reason where it is aborted before its turn came; `work` has not begun then. */
  async pass<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#free++;
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        leave();
        resolve();
      };
      const giveUp = () => {
        leave();
        reject(signal?.reason);
      };
      const leave = () => {
        this.#waiting.delete(go);
        signal?.removeEventListener("abort", giveUp);
      };
      this.#waiting.add(go);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }
}
