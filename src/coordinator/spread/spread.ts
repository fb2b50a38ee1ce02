import type { Queue } from "../../queue/queue.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { withPatience } from "../patience.ts";
import type { FinishedRun, StepOrder } from "../tasks/step-order.ts";
import { Asks } from "./asks.ts";
import { Bells } from "./bells.ts";
import { Books } from "./books.ts";
import { EndedRuns } from "./ended-runs.ts";
import { Guests } from "./guests.ts";
import { maySpread } from "./may-spread.ts";
import { runAnywhere } from "./run-anywhere.ts";
import { RunWork } from "./run-work.ts";

/**
 * Runs of one job on many nodes. Whoever has the job opens a run for anybody, and waits for nothing but its end; any
 * node that is given its wake, this one too, does it as the owner would. It decides nothing about the job.
 */
export interface Spread {
  /** Opens the job's budget to its runs, for as long as it is worked on here. */
  keepBooks(job: Job): Disposable;
  /** Whether the run of this order may be another node's, or was opened for any node before. */
  takes(order: StepOrder, job: Job): boolean;
  /** Rejects with the reason of the job's signal when this process lets go of the job; the run goes on without it. */
  run(order: StepOrder, job: Job): Promise<FinishedRun>;
  /** Takes no more; resolves once all that it does has ended. */
  leave(): Promise<void>;
  /** Takes no more, and lets go of what it does for others: another node goes on with that from its log. */
  handBack(): Promise<void>;
  close(): Promise<void>;
}

/** `runs`: the queue of that name; closed by the caller, after this. */
export function openSpread(runs: Queue, around: Equipment): Spread {
  const equipment = withPatience(around);
  const ended = new EndedRuns(equipment.database);
  const bells = new Bells(runs);
  const books = new Books(equipment.database);
  const asks = new Asks(equipment.database, books);
  const work = new RunWork({ runs, equipment, ended, asks, books, guests: new Guests(equipment) });
  const listening = equipment.database.listen("sheaf_queue", (heard) => {
    for (const each of [ended, books, asks]) each.hear(heard);
  });
  runs.pump({
    take: (wake) => work.take(wake),
    lost: (wake) => work.lost(wake),
    poison: (wake) => work.bury(wake),
  });
  return {
    keepBooks: (job) => books.keep(job),
    takes: ({ past, ...order }, job) => (past ? !past.claimed : maySpread(order, job)),
    run: (order, job) => runAnywhere(order, job, { runs, bells, ended, books, equipment }),
    leave: () => work.leave(),
    handBack: () => work.handBack(),
    async close() {
      await work.handBack();
      for (const each of [ended, books, asks]) each.close();
      const stopListening = await listening;
      await stopListening();
    },
  };
}
