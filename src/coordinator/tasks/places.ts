/**
 * So many places for work. Whoever waits for a person gives up its place meanwhile, and waits for one again before it
 * goes on: there is never more at work than there are places. Those who come back go before those who begin.
 */
export interface Place {
  /** Does without the place while `wait` lasts. */
  without<T>(wait: () => Promise<T>): Promise<T>;
}

export interface PlacesOptions {
  count: number;
  /** Most that are away; one more keeps its place. What is away holds a workspace, and a disk has an end. */
  mostAway?: number;
  /** Once aborted, nobody waits for a place: there is nothing left to do but to end. */
  signal?: AbortSignal | undefined;
  /** A place has become free for somebody new. */
  onFree(): void;
}

const usualMostAway = 256;

export class Places {
  readonly #options: PlacesOptions;
  readonly #returning = new Set<() => void>();
  #working = 0;
  #away = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get isFree(): boolean {
    return this.#working < this.#options.count;
  }

  /** Only where one is free. To be let go with `leave`. */
  take(): Place {
    this.#working += 1;
    let waits = 0;
    return {
      without: async (wait) => {
        if (waits === 0 && this.#away >= (this.#options.mostAway ?? usualMostAway)) return wait();
        if (waits++ === 0) this.#goAway();
        try {
          return await wait();
        } finally {
          if (--waits === 0) await this.#comeBack();
        }
      },
    };
  }

  leave(): void {
    this.#working -= 1;
    const [next] = this.#returning;
    if (next && this.isFree) {
      this.#returning.delete(next);
      this.#working += 1;
      next();
    } else this.#options.onFree();
  }

  #goAway(): void {
    this.#away += 1;
    this.leave();
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#options;
    const isOver = () => signal?.aborted === true;
    if (this.isFree || isOver()) this.#working += 1;
    else await this.#queue(signal);
    this.#away -= 1;
  }

  #queue(signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve) => {
      const enter = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        if (!this.#returning.delete(enter)) return;
        this.#working += 1;
        resolve();
      };
      this.#returning.add(enter);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}
