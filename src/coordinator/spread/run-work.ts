import { setTimeout as wait } from "node:timers/promises";
import { claimRun } from "../../db/claim-run.ts";
import { findRun } from "../../db/find-run.ts";
import { Fault } from "../../protocol/failure.ts";
import type { HeldWake, Queue } from "../../queue/queue.ts";
import type { Equipment } from "../equipment.ts";
import { JobStopped } from "../job.ts";
import { eventsOfRun } from "../resume/events-of.ts";
import { endPast, poisoned } from "../resume/go-on.ts";
import { runStep } from "../run-step.ts";
import { createStanding } from "../standing.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import type { Asks } from "./asks.ts";
import type { Books } from "./books.ts";
import type { EndedRuns } from "./ended-runs.ts";
import { fromLog, jobOf, orderOf } from "./guest-run.ts";
import type { Guest, Guests } from "./guests.ts";
import { heedRuns, type UnderWay } from "./heed-runs.ts";
import { spreadOrder } from "./spread-order.ts";

export interface WorkOrder {
  runs: Queue;
  equipment: Equipment;
  ended: EndedRuns;
  guests: Guests;
  asks: Asks;
  books: Books;
}

/** So long this node leaves all to others, once it was given what it cannot do as they can. */
const shyMs = 2_000;
/** The same where it has no part in a job's repository, or a later version wrote its log: so it will be with the next one. */
const strangerMs = 30_000;
/** Until a run is tried again with which something went wrong that is not its own. */
const retryMs = 1_000;
/** Nobody waits longer than this for a store that does not answer. */
const lastSpansMs = 1_000;
/** How often it is looked what people ask of runs here. */
const lookMs = 1_000;

/**
 * Does runs that any node may do, as this one is given them. It never ends one that it has lost: whoever has it then goes
 * on from its log.
 */
export class RunWork {
  readonly #order: WorkOrder;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #isStopping = false;

  constructor(order: WorkOrder) {
    this.#order = order;
    // What cannot be looked up now is the next time.
    this.#timer = setInterval(() => void this.#heed().catch(() => {}), lookMs).unref();
  }

  take(wake: HeldWake): void {
    const task = this.#take(wake).catch((thrown: unknown) => this.#putBack(wake, thrown));
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }

  lost(wake: HeldWake): void {
    this.#underWay.get(wake.id)?.giveUp("another node has taken this run");
  }

  /** So many nodes have died with it that it is taken for the reason. */
  async bury(wake: HeldWake): Promise<void> {
    const { equipment, guests } = this.#order;
    const guest = await guests.use(wake.jobId);
    if (!guest) throw new Fault("conflict", "its job cannot be worked on here");
    try {
      const begun = await this.#claim(wake, guest);
      if (begun === "otherwise") throw new Fault("conflict", "this node would do it otherwise");
      if (begun === "over") return;
      const job = jobOf(guest, { ...begun, ...this.#begin(wake, guest), asks: this.#order.asks }, equipment);
      const { past } = begun.order;
      if (past) {
        const refusal = { failure: poisoned(begun.claimed), hasParted: false, past, claimed: begun.claimed };
        await endPast(refusal, { job, equipment });
      }
    } finally {
      this.#underWay.delete(wake.id);
      guests.letGo(wake.jobId);
    }
  }

  async leave(): Promise<void> {
    this.#order.runs.pause(Number.POSITIVE_INFINITY);
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async handBack(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    for (const each of this.#underWay.values()) each.giveUp("this process is stopping, and hands the run back");
    await Promise.all(this.#tasks);
    // Who is given them next closes what is open of their spans: those that have ended are stored by then.
    await Promise.race([this.#order.equipment.hub.flush(), wait(lastSpansMs, undefined, { ref: false })]);
    await this.#order.runs.drain(0);
    await this.#order.guests.close();
  }

  async #take(wake: HeldWake): Promise<void> {
    const { guests, runs, equipment } = this.#order;
    const guest = await guests.use(wake.jobId);
    if (!guest) return this.#leave(wake);
    try {
      const begun = await this.#claim(wake, guest);
      if (begun === "over") return void (await runs.complete([wake]));
      if (begun === "otherwise") return await this.#leaveToOthers(wake, shyMs);
      const terms = { ...begun, ...this.#begin(wake, guest), asks: this.#order.asks };
      const run = await runStep(begun.order, { ...jobOf(guest, terms, equipment), wake }, equipment);
      await runs.complete([wake]);
      this.#order.ended.tell(wake.runId, run);
    } finally {
      this.#underWay.delete(wake.id);
      guests.letGo(wake.jobId);
    }
  }

  /** `otherwise`: another node is to do it. */
  async #claim(wake: HeldWake, guest: Guest): Promise<Begun | "over" | "otherwise"> {
    const { equipment, books } = this.#order;
    const { clock, database, node } = equipment;
    const row = await findRun(wake.runId, database);
    if (!row || row.finishedAt !== null) return "over";
    const order = await orderOf(row, { guest, isOwner: books.of(wake.jobId) !== undefined }, equipment);
    if (!order || this.#isStopping) return "otherwise";
    // In full before it is claimed: what this version cannot read is left to whoever can.
    const before = row.head > 1 ? await eventsOfRun(row.id, database) : [];
    const from = ["queued", "running", "waiting"] as const;
    const claimed = await claimRun({ runId: wake.runId, owner: node, from }, clock, database);
    if (!claimed) return "over";
    const { is_budgeted: isBudgeted = false } = spreadOrder.parse(row.spec);
    return { claimed, isBudgeted, order: await fromLog(order, { claimed, before }, equipment) };
  }

  #begin(wake: HeldWake, guest: Guest): Pick<UnderWay, "standing" | "signal"> {
    const { equipment, runs } = this.#order;
    const standing = createStanding(
      () => equipment.clock.now(),
      () => runs.leaseUntil(),
    );
    const stop = new AbortController();
    const end = (code: string, message: string) => stop.abort(new JobStopped("cancelled", { code, message }));
    const { signal } = stop;
    const giveUp = (why: string) => {
      standing.giveUp(why);
      end("handed_back", why);
    };
    const cancel = (why: string) => end("cancelled", why);
    this.#underWay.set(wake.id, { runId: wake.runId, jobId: wake.jobId, guest, standing, signal, giveUp, cancel });
    if (this.#isStopping) giveUp("this process is stopping, and hands the run back");
    return { standing, signal };
  }

  /** Its job is over, or is done by others. */
  async #leave(wake: HeldWake): Promise<void> {
    const row = await findRun(wake.runId, this.#order.equipment.database);
    if (!row || row.finishedAt !== null) await this.#order.runs.complete([wake]);
    else await this.#leaveToOthers(wake, strangerMs);
  }

  async #leaveToOthers(wake: HeldWake, ms: number): Promise<void> {
    const { runs } = this.#order;
    runs.pause(ms);
    await runs.putBack(wake);
  }

  /** Where even this cannot be said, it goes back as soon as the database answers. */
  async #putBack(wake: HeldWake, thrown: unknown): Promise<void> {
    const isLost = thrown instanceof Fault && thrown.code === "fenced";
    if (!isLost) this.#order.equipment.warn?.(`run ${wake.runId} could not be done here: ${String(thrown)}`);
    // What is held while this process stops goes back at once, with all others.
    if (this.#isStopping) return;
    const { runs } = this.#order;
    const isOfLater = thrown instanceof Fault && thrown.code === "database_newer";
    if (isOfLater) runs.pause(strangerMs);
    await runs.putBack(wake, this.#in(isOfLater ? 0 : retryMs)).catch(() => runs.letGo(wake));
  }

  #in(ms: number): Date {
    return new Date(this.#order.equipment.clock.now() + ms);
  }

  async #heed(): Promise<void> {
    if (this.#underWay.size > 0) await heedRuns([...this.#underWay.values()], this.#order.equipment);
  }
}

interface Begun {
  claimed: NonNullable<Awaited<ReturnType<typeof claimRun>>>;
  order: StepOrder;
  isBudgeted: boolean;
}
