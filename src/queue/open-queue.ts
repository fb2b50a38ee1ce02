import { attempt } from "../db/attempt.ts";
import type { Database, Orm } from "../db/database.ts";
import { type Log, silentLog } from "../log/log.ts";
import { type Clock, newUuid, type RunId } from "../protocol/ids.ts";
import { type Backlog, createBacklog } from "./backlog.ts";
import { createBell } from "./bell.ts";
import { drainHolds } from "./drain.ts";
import { createHandOver } from "./hand-over.ts";
import { holdFromStart } from "./hold.ts";
import { createHolds, type Holds } from "./holds.ts";
import { Pump } from "./pump.ts";
import type { HeldWake, Queue, QueueLimits, Wake, WakeListeners } from "./queue.ts";
import {
  countWakes,
  endWakes,
  heldAmong,
  lockHeld,
  type QueueName,
  returnWakes,
  sendWakes,
  takeFromDead,
  withdrawWakes,
} from "./wakes.ts";

export interface QueueOptions {
  /** `jobs`: root runs, held for as long as their job lives. `runs`: one attempt of a step each. */
  name: QueueName;
  database: Database;
  clock: Clock;
  /** This node's name, for people; every opened queue is a holder of its own. */
  node: string;
  limits: QueueLimits;
  /** How long a wake stays with a node that says nothing; 1 s at least, and alike on all nodes. */
  leaseMs?: number;
  /** Most wakes that may wait. */
  most?: number;
  /** A wake that has outlived more holders than this is poison. */
  mostCrashes?: number;
  /** No other process can hold anything: what is held when this opens was held by the dead. */
  isEmbedded: boolean;
  log?: Log;
}

/** Throws what the database throws, as a Fault, when it cannot be asked for what the dead held. */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { name, database, isEmbedded } = options;
  if (isEmbedded) await attempt("take what was held", database, (orm) => takeFromDead(name, "all", orm));
  return new WakeQueue(options);
}

class WakeQueue implements Queue {
  readonly #options: Required<QueueOptions>;
  readonly #holder: string;
  readonly #holds: Holds;
  readonly #coming = new Set<{ runId: RunId }>();
  readonly #backlog: Backlog;
  readonly #bell = createBell();
  /** Heard by who drains: something here has ended. */
  readonly #endings = createBell();
  #pump: Pump | undefined;
  #listening: Promise<() => Promise<void>> | undefined;

  constructor(options: QueueOptions) {
    this.#options = { leaseMs: 10_000, most: 100_000, mostCrashes: 3, log: silentLog, ...options };
    this.#holder = `${options.node} ${newUuid(options.clock)}`;
    this.#holds = createHolds(this.#options.leaseMs);
    this.#backlog = createBacklog(this.#options, options.clock);
  }

  async send(wakes: readonly Wake[], orm?: Orm, { isOwed = false }: { isOwed?: boolean } = {}): Promise<void> {
    if (wakes.length === 0) return;
    await this.#write("send wakes", orm, async (within) => {
      if (!isOwed) await this.#backlog.admit(wakes.length, within);
      await sendWakes(this.#options, wakes, within);
    });
  }

  async hold(wake: Omit<Wake, "startAfter">): Promise<HeldWake | undefined> {
    const order = { ...this.#options, holder: this.#holder, holds: this.#holds, coming: this.#coming };
    return holdFromStart(wake, order)
      .catch((thrown: unknown) => {
        this.#pump?.doubt();
        throw thrown;
      })
      .finally(() => this.#ring());
  }

  isHeld(wake: HeldWake, orm: Orm): Promise<boolean> {
    return lockHeld(this.#options.name, wake.id, orm);
  }

  pump(listeners: WakeListeners, { isIdle = false }: { isIdle?: boolean } = {}): void {
    const { database, name } = this.#options;
    this.#listening = database.listen("sheaf_queue", (heard) => {
      if (heard === "" || heard === name) this.#ring();
    });
    this.#pump = new Pump({
      ...this.#options,
      holder: this.#holder,
      holds: this.#holds,
      coming: this.#coming,
      bell: this.#bell,
      ...createHandOver(
        {
          ...this.#options,
          holds: this.#holds,
          putBack: (wake, startAfter) => this.putBack(wake, startAfter),
          letGo: (wake) => this.letGo(wake),
        },
        listeners,
      ),
    });
    // biome-ignore lint/nursery/noFloatingPromises: it returns nothing
    if (isIdle) this.#pump.stopFetching();
  }

  async complete(wakes: readonly HeldWake[], orm?: Orm): Promise<readonly HeldWake[]> {
    if (wakes.length === 0) return [];
    const ids = wakes.map(({ id }) => id);
    // Before the statement: a touch that runs in between must not take what has just ended for lost.
    this.#holds.end(ids);
    let rounds = 0;
    const ended = await this.#write("complete wakes", orm, async (within) => {
      rounds += 1;
      const done = await endWakes(this.#options.name, ids, within);
      // The answer to the first try may have been lost: then those that are nobody's were ended by it.
      return rounds === 1 ? done : this.#goneAmong(ids, within);
    }).catch((thrown: unknown) => {
      this.#holds.keep(ids);
      throw thrown;
    });
    this.#holds.drop(orm ? ids.filter((id) => !ended.has(id)) : ids);
    return wakes.filter(({ id }) => !ended.has(id));
  }

  async putBack(wake: HeldWake, startAfter?: Date, orm?: Orm): Promise<void> {
    this.#holds.end([wake.id]);
    try {
      await this.#write("put a wake back", orm, (within) =>
        returnWakes(this.#options.name, { ids: [wake.id], startAfter }, within),
      );
      if (!orm) this.#holds.drop([wake.id]);
    } catch (thrown) {
      this.#holds.keep([wake.id]);
      throw thrown;
    }
  }

  letGo(wake: HeldWake): void {
    this.#holds.drop([wake.id]);
    this.#pump?.doubt();
    this.#ring();
  }

  withdraw(runIds: readonly RunId[], orm?: Orm): Promise<void> {
    return this.#write("withdraw wakes", orm, (within) => withdrawWakes(this.#options.name, runIds, within));
  }

  leaseUntil(): number {
    return this.#options.isEmbedded ? Number.POSITIVE_INFINITY : this.#holds.until;
  }

  depth(): Promise<{ queued: number; held: number }> {
    const { database, name } = this.#options;
    return attempt("count wakes", database, (orm) => countWakes(name, orm));
  }

  pause(ms: number): void {
    this.#pump?.pause(ms);
  }

  async drain(graceMs: number): Promise<void> {
    await this.#pump?.stopFetching();
    await drainHolds(graceMs, { ...this.#options, holds: this.#holds, endings: this.#endings });
  }

  async close(): Promise<void> {
    await this.#pump?.stop();
    const stopListening = await this.#listening;
    await stopListening?.();
  }

  /** Part of the caller's transaction, or one of its own that is repeated when the connection breaks. */
  async #write<T>(what: string, orm: Orm | undefined, work: (orm: Orm) => Promise<T>): Promise<T> {
    const answer = orm ? await work(orm) : await attempt(what, this.#options.database, work);
    if (!orm) this.#ring();
    return answer;
  }

  #ring(): void {
    this.#bell.ring();
    this.#endings.ring();
  }

  async #goneAmong(ids: readonly string[], orm: Orm): Promise<Set<string>> {
    const still = await heldAmong(this.#options.name, ids, orm);
    return new Set(ids.filter((id) => !still.has(id)));
  }
}
