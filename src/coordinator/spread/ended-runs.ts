import type { Database } from "../../db/database.ts";
import { findEnded } from "../../db/spread-runs.ts";
import type { FactData } from "../../protocol/event.ts";
import type { FinishedRun } from "../tasks/step-order.ts";

/** As its log says it; `run` where it was done in this process, which knows the same already. */
export type Ended = { finished: FactData<"run.finished"> } | { run: FinishedRun };

/** Without a ring, such as one that was missed. */
const lookMs = 1_000;
/** Ends that come close together are looked for at once. */
const gatherMs = 20;

/** Who waits for the ends of runs, whichever node they are done on. One statement looks for all of them. */
export class EndedRuns {
  readonly #database: Database;
  readonly #waiting = new Map<string, (ended: Ended) => void>();
  readonly #timer: NodeJS.Timeout;
  #isRung = false;

  constructor(database: Database) {
    this.#database = database;
    this.#timer = setInterval(() => this.#ring(), lookMs).unref();
  }

  wait(id: string): Promise<Ended> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  forget(id: string): void {
    this.#waiting.delete(id);
  }

  /** It ended here, and its log says so. */
  tell(id: string, run: FinishedRun): void {
    this.#answer(id, { run });
  }

  /** Whoever completes a wake rings; "": some of it may have been missed. */
  hear(heard: string): void {
    if (heard === "" || heard === "runs") this.#ring();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #ring(): void {
    if (this.#isRung || this.#waiting.size === 0) return;
    this.#isRung = true;
    setTimeout(() => {
      this.#isRung = false;
      // What it cannot find now it finds the next time.
      this.#look().catch(() => {});
    }, gatherMs);
  }

  async #look(): Promise<void> {
    const found = await findEnded([...this.#waiting.keys()], this.#database);
    for (const { id, finished } of found) this.#answer(id, { finished });
  }

  #answer(id: string, ended: Ended): void {
    this.#waiting.get(id)?.(ended);
    this.#waiting.delete(id);
  }
}
