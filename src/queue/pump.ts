import { complaint } from "../db/complaint.ts";
import type { Database } from "../db/database.ts";
import type { Log } from "../log/log.ts";
import { Fault } from "../protocol/failure.ts";
import type { Clock, RunId } from "../protocol/ids.ts";
import type { Bell } from "./bell.ts";
import type { Holds } from "./holds.ts";
import type { HeldWake, QueueLimits } from "./queue.ts";
import { type QueueName, returnWakes, takeFromDead, takeWakes, touchWakes } from "./wakes.ts";

/**
 * The one loop that asks the database: for what it holds, for what the dead held, for more. One statement at a time, so
 * that what was just taken is never missed by a touch. It never gives up: while the database is away it waits.
 */
export interface PumpOrder {
  name: QueueName;
  holder: string;
  limits: QueueLimits;
  leaseMs: number;
  isEmbedded: boolean;
  database: Database;
  clock: Clock;
  holds: Holds;
  /** What is being held from the start, beside this loop: the database may have it before its answer is here. */
  coming: ReadonlySet<{ runId: RunId }>;
  bell: Bell;
  log: Log;
  deliver(wake: HeldWake): void;
  lost(wake: HeldWake): void;
}

/** Without a ring, such as when a wake's time has come. */
const lookMs = 1_000;
/** Between two fetches: who is rung all the time takes many at once, at a tenth of the price. */
const gatherMs = 10;
const mostPatienceMs = 5_000;

export class Pump {
  readonly #order: PumpOrder;
  #isFetching = true;
  #fetching: Promise<void> | undefined;
  #isStopped = false;
  #failures = 0;
  /** How often there may have come to be wakes in our name that we know nothing of, and how many of these times are settled. */
  #doubts = 0;
  #settled = 0;
  #nextLook = 0;
  #fetchesAt = 0;
  readonly #loop: Promise<void>;

  constructor(order: PumpOrder) {
    this.#order = order;
    this.#loop = this.#run();
  }

  /** Resolves once nothing more is delivered; what a fetch under way still brings goes back. */
  async stopFetching(): Promise<void> {
    this.#isFetching = false;
    // Its failure is the loop's.
    await this.#fetching?.catch(() => {});
  }

  pause(ms: number): void {
    this.#fetchesAt = this.#order.clock.now() + ms;
  }

  /** What the database has in our name may be more than what we hold: the next turn compares, and puts that back. */
  doubt(): void {
    this.#doubts += 1;
  }

  /** Resolves once its last statement is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#order.bell.ring();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#turn();
        this.#failures = 0;
        await this.#order.bell.sleep(this.#untilNextMs(), gatherMs);
      } catch (thrown) {
        await this.#wait(thrown);
      }
    }
  }

  async #turn(): Promise<void> {
    const { clock, database, holds, isEmbedded, limits, name } = this.#order;
    if (this.#doubts > this.#settled || clock.now() >= this.#touchAt()) await this.#touch();
    if (!isEmbedded && clock.now() >= this.#nextLook) {
      await takeFromDead(name, "expired", database.orm);
      this.#nextLook = clock.now() + lookMs;
    }
    const mayFetch = this.#isFetching && !this.#isStopped && clock.now() >= this.#fetchesAt;
    if (mayFetch && holds.size < limits.perNode) {
      this.#fetching = this.#fetch();
      await this.#fetching;
    }
  }

  /** A third of the lease after the last time, so that two touches may fail. */
  #touchAt(): number {
    const { holds, leaseMs } = this.#order;
    return holds.isEmpty ? Number.POSITIVE_INFINITY : holds.until - (leaseMs * 2) / 3;
  }

  #untilNextMs(): number {
    return Math.max(gatherMs, Math.min(lookMs, this.#touchAt() - this.#order.clock.now()));
  }

  async #touch(): Promise<void> {
    const { clock, coming, database, holder, holds, lost, name } = this.#order;
    const doubts = this.#doubts;
    const asked = { at: clock.now(), before: holds.ids() };
    const found = await touchWakes(name, holder, database.orm);
    const seen = holds.touch(new Set(found.keys()), asked);
    for (const wake of seen.lost) lost(wake);
    const expected = new Set([...coming].map(({ runId }) => runId));
    const ids = seen.strays.filter((id) => !expected.has(found.get(id) as RunId));
    if (ids.length > 0) await returnWakes(name, { ids }, database.orm);
    this.#settled = doubts;
  }

  async #fetch(): Promise<void> {
    const { clock, database, deliver, holder, holds, limits, name } = this.#order;
    const askedAt = clock.now();
    const { perLook = limits.perNode } = limits;
    const perNode = Math.min(limits.perNode, holds.size + perLook);
    const wakes = await takeWakes(name, { holder, limits: { ...limits, perNode } }, database.orm).catch((thrown) => {
      // Its answer may have been lost.
      this.doubt();
      throw thrown;
    });
    // There may be more.
    if (wakes.length >= perLook) this.#order.bell.ring();
    if (this.#isFetching) {
      holds.take(wakes, askedAt);
      for (const wake of wakes) deliver(wake);
    } else if (wakes.length > 0) {
      await returnWakes(name, { ids: wakes.map(({ id }) => id) }, database.orm);
    }
  }

  async #wait(thrown: unknown): Promise<void> {
    this.#failures += 1;
    if (this.#failures === 1) this.#order.log.warn("the queue waits for the database", { reason: reasonOf(thrown) });
    // Other nodes could not reach it either: they get as long as anybody to say that they live.
    if (complaint(thrown).kind === "connection") this.#nextLook = this.#order.clock.now() + this.#order.leaseMs;
    const ms = Math.min(mostPatienceMs, 125 * 2 ** Math.min(this.#failures, 10));
    // A ring is of somebody whom the database has answered.
    await this.#order.bell.sleep(ms, gatherMs);
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Fault ? thrown.message : complaint(thrown).message;
}
