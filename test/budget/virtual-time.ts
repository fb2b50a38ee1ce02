import { setImmediate as nextTick } from "node:timers/promises";

/** Time that passes only when nothing is left to do: hours in milliseconds, the same each time. */
export class VirtualTime {
  #now = 1_000_000;
  #ordinal = 0;
  #timers: { at: number; ordinal: number; wake: () => void }[] = [];

  readonly now = () => this.#now;

  readonly later = (ms: number, wake: () => void): (() => void) => {
    const timer = { at: this.#now + Math.max(0, ms), ordinal: ++this.#ordinal, wake };
    const after = this.#timers.findIndex((one) => one.at > timer.at);
    this.#timers.splice(after < 0 ? this.#timers.length : after, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  };

  readonly sleep = (ms: number): Promise<void> => new Promise((resolve) => this.later(ms, resolve));

  /** Until `work` is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    for (await nextTick(); !isDone; await nextTick()) {
      const next = this.#timers.shift();
      if (!next) throw new Error("nothing is left that could go on");
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    return done;
  }
}
