import type { Orm } from "../db/database.ts";
import type { JobId, RunId } from "../protocol/ids.ts";

/**
 * A bell that wakes runs, and nothing else: what a run is and how far it got stands in its log. A wake may ring once
 * too often, never once too few; who acts on one still has to claim its run.
 */
export interface Wake {
  runId: RunId;
  jobId: JobId;
  tenant: string;
  /** A whole number; higher first. Among equals jobs take turns. */
  priority: number;
  /** Not before then; at once when absent. */
  startAfter?: Date;
}

/** A wake that this node was given, and holds until it completes it, puts it back, or loses it. */
export interface HeldWake extends Omit<Wake, "startAfter"> {
  /** The right to end this wake; each time that a wake is given out it has a new one. */
  id: string;
  /** How many of those who held it before have died of it, or with it. */
  crashes: number;
}

/** How many wakes may be held at the same time; never exceeded, not for a moment, over all nodes. */
export interface QueueLimits {
  perNode: number;
  perJob?: number;
  perTenant?: number;
  overall?: number;
  /** Taken with one look, so that nodes share what comes all at once; absent: as many as there is room for. */
  perLook?: number;
}

/** Called without being waited for, but `poison`; what they throw puts the wake back. */
export interface WakeListeners {
  /** Once for each wake as it is given to this node. */
  take(wake: HeldWake): void;
  /** This node no longer holds it: another one does, or its run is over. What runs for it has to stop. */
  lost(wake: HeldWake): void;
  /**
   * A wake that has outlived more of its holders than it may, instead of `take`. It is held while this runs, and kept
   * as a dead letter when this resolves; who dies in the middle of it leaves it to the next node.
   */
  poison(wake: HeldWake): Promise<void>;
}

/** All times are milliseconds. With `orm`, a statement is part of that transaction, and holds once that commits. */
export interface Queue {
  /**
   * Stores wakes, many in one statement. A run that waits already is not queued twice, but woken as early and as
   * urgently as either asked; one that is held is woken again when that ends. Throws Fault `overloaded` when more would
   * wait than may, unless these are owed: their runs exist, and somebody waits for them.
   */
  send(wakes: readonly Wake[], orm?: Orm, options?: { isOwed?: boolean }): Promise<void>;
  /**
   * Stores a wake that this node holds from the start, so that nobody else is given it meanwhile; undefined where the
   * limits have no room, and nothing is stored. No listener is told of it.
   */
  hold(wake: Omit<Wake, "startAfter">): Promise<HeldWake | undefined>;
  /** Whether this node still holds it; then nobody else is given it before the caller's transaction ends. */
  isHeld(wake: HeldWake, orm: Orm): Promise<boolean>;
  /**
   * Starts to fetch as many as the limits allow, from now until `drain` or `close`; with `isIdle` nothing is fetched, and
   * only what this node holds already is looked after.
   */
  pump(listeners: WakeListeners, options?: { isIdle?: boolean }): void;
  /**
   * Ends them, many in one statement. Returns those that were not this node's any more. After a transaction that did
   * not commit they are still held: complete them again, or put them back.
   */
  complete(wakes: readonly HeldWake[], orm?: Orm): Promise<readonly HeldWake[]>;
  /** Back into the queue, at once or for later, which is no crash. Does nothing to a wake that was lost. */
  putBack(wake: HeldWake, startAfter?: Date, orm?: Orm): Promise<void>;
  /** Holds it no more, without a word to the database: it is put back as soon as that answers, and it is no crash. */
  letGo(wake: HeldWake): void;
  /** Forgets what waits for these runs, because they are over; what is held stays so. */
  withdraw(runIds: readonly RunId[], orm?: Orm): Promise<void>;
  /**
   * Until when, by the clock that was passed in, nobody else is given what this node holds. A process that was frozen
   * finds it in the past, and must not act before it is in the future again. In the past, too, while nothing is held; Infinity where there is one
   * process.
   */
  leaseUntil(): number;
  /** Over all nodes: how many wait (those for later included), and how many are held. */
  depth(): Promise<{ queued: number; held: number }>;
  /** Fetches nothing for so long: what this node cannot do is left to others. */
  pause(ms: number): void;
  /** Fetches no more; resolves once nothing is held, or after `graceMs`, when what is still held is put back. */
  drain(graceMs: number): Promise<void>;
  /** Lets go of everything as if the process had died; `drain` before. The database stays open. */
  close(): Promise<void>;
}
