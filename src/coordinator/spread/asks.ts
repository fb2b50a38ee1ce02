import type { Asked } from "../../budget/spent-elsewhere.ts";
import type { Treasury, TreasuryAnswer } from "../../budget/treasury.ts";
import type { ClaimedRun } from "../../db/claim-run.ts";
import type { Database } from "../../db/database.ts";
import { findAnswers, type SpendAnswer, type SpendAsk, storeAsk } from "../../db/spend-asks.ts";
import { Fault } from "../../protocol/failure.ts";
import type { TaskId } from "../../protocol/ids.ts";
import type { Books } from "./books.ts";

/** Without a ring, such as one that was missed. */
const lookMs = 1_000;
/** Answers that come close together are looked for at once. */
const gatherMs = 5;
/** A run that asks for nothing more within that says what its last call took: others may wait for the rest. */
const lingerMs = 1_000;

/** The runs that this process does, as they ask whoever keeps their jobs' books: in this process, or in another one. */
export class Asks {
  readonly #database: Database;
  readonly #books: Books;
  readonly #waiting = new Map<string, { ask: SpendAsk; resolve(answer: SpendAnswer): void }>();
  readonly #timer: NodeJS.Timeout;
  #isRung = false;

  constructor(database: Database, books: Books) {
    this.#database = database;
    this.#books = books;
    this.#timer = setInterval(() => this.#ring(), lookMs).unref();
  }

  /** For one run, by its owner. */
  treasury({ runId, jobId, epoch }: ClaimedRun, taskId: TaskId): Treasury {
    let n = 0;
    let linger: NodeJS.Timeout | undefined;
    const next = (asked: Asked): SpendAsk => ({ runId, jobId, taskId, epoch, n: ++n, ...asked });
    return {
      reserve: (asked, signal) => {
        clearTimeout(linger);
        return this.#reserve(next(asked), signal);
      },
      settle: (asked) => {
        clearTimeout(linger);
        // It is in the log, and said again with whatever comes next.
        linger = setTimeout(() => void this.#tell(next(asked)).catch(() => {}), lingerMs).unref();
      },
    };
  }

  /** What was notified by whoever answers; "": some of it may have been missed. */
  hear(heard: string): void {
    const [what, id = ""] = heard.split(" ");
    if (heard === "" || (what === "answered" && this.#waiting.has(id))) this.#ring();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #reserve(ask: SpendAsk, signal: AbortSignal | undefined): Promise<TreasuryAnswer> {
    signal?.throwIfAborted();
    // Where they are closed meanwhile, or the job is lost, whoever keeps them next is asked.
    const near = await this.#books
      .of(ask.jobId)
      ?.answer(ask, signal)
      .catch(() => undefined);
    signal?.throwIfAborted();
    return near ?? this.#askFar(ask, signal);
  }

  async #tell(ask: SpendAsk): Promise<unknown> {
    return this.#books.of(ask.jobId)?.answer(ask) ?? storeAsk(ask, this.#database);
  }

  async #askFar(ask: SpendAsk, signal: AbortSignal | undefined): Promise<SpendAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<SpendAnswer>();
    const waiting = { ask, resolve };
    const leave = () => reject(signal?.reason);
    this.#waiting.set(ask.runId, waiting);
    signal?.addEventListener("abort", leave, { once: true });
    storeAsk(ask, this.#database).then((isStored) => {
      if (!isStored) reject(taken(ask));
    }, reject);
    try {
      return await promise;
    } finally {
      if (this.#waiting.get(ask.runId) === waiting) this.#waiting.delete(ask.runId);
      signal?.removeEventListener("abort", leave);
    }
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
    for (const { runId, epoch, n, answer } of await findAnswers([...this.#waiting.keys()], this.#database)) {
      const waiting = this.#waiting.get(runId);
      if (waiting?.ask.epoch !== epoch || waiting.ask.n !== n) continue;
      this.#waiting.delete(runId);
      waiting.resolve(answer);
    }
  }
}

function taken({ runId }: SpendAsk): Fault {
  return new Fault("fenced", `run ${runId} has a new owner, or is over`, {
    remedy: "whoever has it now goes on with it from its log",
  });
}
