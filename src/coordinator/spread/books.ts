import { setImmediate as nextTick } from "node:timers/promises";
import type { Spent } from "../../budget/job-budget.ts";
import type { Database } from "../../db/database.ts";
import { findAsks, type SpendAnswered, type SpendAsk, storeAnswers } from "../../db/spend-asks.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { Job } from "../job.ts";
import type { PastRun } from "../resume/history.ts";
import { JobBooks } from "./job-books.ts";

/** Without a ring, such as one that was missed. */
const lookMs = 1_000;
/** What is asked close together is looked for at once. */
const gatherMs = 5;

/** The books of all jobs that are this process's: hears what runs on other nodes ask of them, and answers. */
export class Books {
  readonly #database: Database;
  readonly #kept = new Map<JobId, JobBooks>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #isRung = false;
  #answers: SpendAnswered[] = [];
  #storing: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#timer = setInterval(() => this.#ring(), lookMs).unref();
  }

  /** For as long as it is worked on here. */
  keep(job: Job): Disposable {
    const books = new JobBooks(job);
    this.#kept.set(job.id, books);
    const close = () => {
      books.close();
      if (this.#kept.get(job.id) === books) this.#kept.delete(job.id);
    };
    return { [Symbol.dispose]: close };
  }

  of(id: JobId): JobBooks | undefined {
    return this.#kept.get(id);
  }

  /** From now on it is looked for what its runs ask on other nodes. */
  share({ id }: Job): void {
    const books = this.#kept.get(id);
    if (books) books.isShared = true;
  }

  /** The run has ended, or is this process's own from now on, and has spent so much in all. */
  async end({ runId: id, started: { task_id: task } }: PastRun, spent: Spent, job: Job): Promise<void> {
    const books = this.#kept.get(job.id);
    if (books) await books.end({ id, task }, spent);
    else job.budget.endElsewhere({ id, task }, spent);
  }

  /** What was notified by whoever asks; "": some of it may have been missed. */
  hear(heard: string): void {
    const [what, id] = heard.split(" ");
    if (heard === "" || (what === "asked" && this.#kept.has(id as JobId))) this.#ring();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const books of this.#kept.values()) books.close();
    this.#kept.clear();
  }

  /** One look at a time: what a later one finds is never older. */
  #ring(): void {
    this.#isRung = true;
    this.#looking ??= this.#lookOn();
  }

  async #lookOn(): Promise<void> {
    while (this.#isRung) {
      await new Promise((resolve) => setTimeout(resolve, gatherMs));
      this.#isRung = false;
      const shared = [...this.#kept].filter(([, { isShared }]) => isShared).map(([id]) => id);
      // What it cannot find now it finds the next time.
      const asks = await findAsks(shared, this.#database).catch(() => []);
      for (const ask of asks) void this.#answer(ask);
    }
    this.#looking = undefined;
  }

  async #answer(ask: SpendAsk): Promise<void> {
    const books = this.#kept.get(ask.jobId);
    // What is not answered now is found again, here or by whoever has the job then.
    const answer = await books?.answer(ask).catch(() => undefined);
    if (!books || !answer) return;
    this.#answers.push({ ask, answer, rootEpoch: books.rootEpoch });
    this.#storing ??= this.#store();
  }

  async #store(): Promise<void> {
    for (await nextTick(); this.#answers.length > 0; ) {
      await storeAnswers(this.#answers.splice(0), this.#database).catch(() => {});
    }
    this.#storing = undefined;
  }
}
