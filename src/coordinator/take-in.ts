import { findJob, listJobs, type StoredJob } from "../db/find-job.ts";
import { wasAskedToCancel } from "../db/store-request.ts";
import { Fault, toFailure } from "../protocol/failure.ts";
import { type JobId, jobId, newUuid, runId } from "../protocol/ids.ts";
import type { HeldWake } from "../queue/queue.ts";
import { catchUp, type Hear } from "./catch-up.ts";
import type { SubmittedJob } from "./coordinator.ts";
import type { Equipment } from "./equipment.ts";
import { endOfJob } from "./feed.ts";
import { tenant } from "./gate/spending.ts";
import { joinNodes } from "./nodes.ts";
import { leftToNext } from "./patience.ts";
import type { TakenUp } from "./resume/take-up.ts";
import type { Running } from "./running.ts";
import type { StartedJob } from "./start-job.ts";
import type { JobOrder } from "./submit.ts";

/** No process runs as many at a time. */
const mostTakenUp = 100_000;

/**
 * How a job comes to run in this process: it is new, or a process before this one had begun it. It is never in twice:
 * whoever asks for one that goes on here already is given that one.
 */
export class Intake {
  readonly #running: Running;
  readonly #equipment: Equipment;
  readonly #ring: (id: JobId) => void;
  /** Those of a process before this one, by what they are to do. */
  readonly #takenUp = new Map<string, JobId>();
  /** Who hears of the facts of such a job, beside its log. */
  readonly #hearers = new Map<JobId, Hear[]>();
  #isLeavingOthers = false;

  constructor(running: Running, equipment: Equipment, ring: (id: JobId) => void) {
    this.#running = running;
    this.#equipment = equipment;
    this.#ring = ring;
  }

  submit(order: JobOrder): Promise<SubmittedJob> {
    const id = jobId.parse(newUuid(this.#equipment.clock));
    return this.#running.expect(id, this.#running.isStopping ? refuse(order) : this.#take(order, id));
  }

  /** Works among other nodes; `isIdle`: on its own jobs alone. */
  join({ isIdle }: { isIdle: boolean }): void {
    const work = {
      takeUp: async (wake: HeldWake) => {
        if (this.#isLeavingOthers) return false;
        const job = await findJob(wake.jobId, this.#equipment.database);
        return job !== undefined && (await this.goOn(job, wake)) !== undefined;
      },
      lost: (wake: HeldWake) => this.#running.lost(wake),
    };
    joinNodes(work, { isIdle }, this.#equipment);
  }

  /** Takes up nothing of other nodes any more: this one is about to go itself. */
  leaveOthers(): void {
    this.#isLeavingOthers = true;
    this.#equipment.jobs?.pause(Number.POSITIVE_INFINITY);
  }

  /** Goes on with all jobs whose process is gone. The caller knows that it is: nobody else has this database. */
  async takeUp(): Promise<TakenUp[]> {
    const { database } = this.#equipment;
    const jobs = await listJobs({ limit: mostTakenUp, state: "running" }, database);
    const taken: TakenUp[] = [];
    for (const job of jobs.toReversed()) {
      const going = this.#running.has(job.id) ? undefined : await this.#goOnOrLeave(job);
      if (going) taken.push(going);
    }
    return taken;
  }

  /** One that cannot be read, say, is no reason to leave the others. */
  async #goOnOrLeave(job: StoredJob): Promise<TakenUp | undefined> {
    try {
      return await this.goOn(job);
    } catch (thrown) {
      if (leftToNext(thrown)) throw thrown;
      const { message } = toFailure(thrown);
      const remedy = `the Sheaf that wrote it may go on with it; sheaf cancel ${job.handle} ends it`;
      this.#equipment.warn?.(`${job.handle} could not be taken up and rests as it is: ${message}; ${remedy}`);
      return undefined;
    }
  }

  /** The same with one; undefined where it does not go on here. `wake`: how this process has it among other nodes. */
  goOn(job: StoredJob, wake?: HeldWake): Promise<TakenUp | undefined> {
    return this.#running.expect(job.id, this.#goOn(job, wake));
  }

  /** Among other nodes, for one that nobody has; undefined where there are none. */
  async hold(id: JobId): Promise<HeldWake | "elsewhere" | undefined> {
    const { jobs } = this.#equipment;
    if (!jobs) return undefined;
    return (await jobs.hold({ runId: runId.parse(id), jobId: id, tenant, priority: 0 })) ?? "elsewhere";
  }

  /** Nobody is told of its facts any more. */
  left(id: JobId): void {
    this.#hearers.delete(id);
  }

  async #take(order: JobOrder, id: JobId): Promise<SubmittedJob> {
    const onFact: JobOrder["onFact"] = (run, fact) => {
      order.onFact?.(run, fact);
      this.#ring(id);
    };
    // Loaded with the first job: looking at old ones needs nothing of what runs them.
    const { specShaOf, submit } = await import("./submit.ts");
    // Whoever names a request means that one, and no other.
    const going = order.idempotency ? undefined : await this.#goingOn(specShaOf(order, this.#equipment));
    if (going) {
      await order.repository.close();
      const hearers = this.#hearers.get(going.id);
      if (order.onFact && hearers) await catchUp(going.id, order.onFact, hearers, this.#equipment.database);
      return { id: going.id, handle: going.handle, isNew: false, isTakenUp: true, done: going.done };
    }
    const taken = await submit({ ...order, onFact }, this.#equipment, id).catch(async (thrown: unknown) => {
      await order.repository.close();
      throw thrown;
    });
    if ("earlier" in taken) return this.#earlier(taken.earlier, order);
    return this.#running.hold(taken.started, order);
  }

  async #goOn(job: StoredJob, wake?: HeldWake): Promise<TakenUp | undefined> {
    if (this.#running.isStopping) return undefined;
    const { takeUp } = await import("./resume/take-up.ts");
    const going = await takeUp(job, { onFact: this.#telling(job.id), wake }, this.#equipment);
    if (!going) {
      this.left(job.id);
      return undefined;
    }
    this.#takenUp.set(job.specSha, job.id);
    this.#running.hold(going.started, going);
    return going;
  }

  #telling(id: JobId): Hear {
    const hearers: Hear[] = [];
    this.#hearers.set(id, hearers);
    return (run, fact) => {
      for (const hear of hearers) hear(run, fact);
      this.#ring(id);
    };
  }

  /** The same job again, while what was left of it is being done: that is what was asked for. */
  async #goingOn(specSha: string): Promise<StartedJob | undefined> {
    const id = this.#takenUp.get(specSha);
    const going = id === undefined ? undefined : this.#running.get(id);
    if (!going) return undefined;
    // One that somebody has stopped is not what is asked for.
    return (await wasAskedToCancel(runId.parse(going.id), this.#equipment.database)) ? undefined : going;
  }

  async #earlier({ id, handle }: { id: JobId; handle: string }, { repository }: JobOrder): Promise<SubmittedJob> {
    await repository.close();
    const { database } = this.#equipment;
    // Looked for only by whoever waits for it.
    return {
      id,
      handle,
      isNew: false,
      get done() {
        return endOfJob(id, database);
      },
    };
  }
}

async function refuse({ repository }: JobOrder): Promise<never> {
  await repository.close();
  throw new Fault("locked", "this Sheaf is stopping, and takes no more jobs", { remedy: "run it again" });
}
