import { setImmediate as nextTick } from "node:timers/promises";
import type { Queue, Wake } from "../../queue/queue.ts";

/** Sends wakes, all that come in one round of the event loop with one statement. It knows nothing of what they wake. */
export class Bells {
  readonly #runs: Queue;
  #waiting: Wake[] = [];
  #sending: Promise<void> | undefined;

  constructor(runs: Queue) {
    this.#runs = runs;
  }

  /** Their runs exist: none is refused because many wait. */
  send(wake: Wake): Promise<void> {
    this.#waiting.push(wake);
    this.#sending ??= this.#flush();
    return this.#sending;
  }

  async #flush(): Promise<void> {
    await nextTick();
    const wakes = this.#waiting.splice(0);
    this.#sending = undefined;
    await this.#runs.send(wakes, undefined, { isOwed: true });
  }
}
