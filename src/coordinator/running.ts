import { findSettled, type StoredApproval } from "../db/find-approval.ts";
import { findJob, listJobs, type StoredJob } from "../db/find-job.ts";
import { storeRequest, takeRequests } from "../db/store-request.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobId, jobId, type RunId, runId } from "../protocol/ids.ts";
import type { Steered, Steering } from "../protocol/steer.ts";
import type { HeldWake } from "../queue/queue.ts";
import type { SubmittedJob } from "./coordinator.ts";
import type { Equipment } from "./equipment.ts";
import { endOfJob } from "./feed.ts";
import { asSaid, storeSteering } from "./gate/steer.ts";
import { joinNodes } from "./nodes.ts";
import type { TakenUp } from "./resume/take-up.ts";
import type { StartedJob } from "./start-job.ts";
import type { JobOrder } from "./submit.ts";

/** No process runs as many at a time. */
const mostTakenUp = 100_000;

/** How often another process's requests are looked for. The embedded database has no other process. */
const lookMs = 1_000;

/**
 * The jobs that run in this process. What somebody asks of one is a row first: whoever owns the job takes it from there,
 * so that asking works the same from this process and from another one on the same database.
 */
export class Running {
  readonly #equipment: Equipment;
  readonly #ring: (id: JobId) => void;
  readonly #jobs = new Map<JobId, StartedJob>();
  /** Jobs that are being taken in. */
  readonly #coming = new Set<Promise<unknown>>();
  /** Those of a process before this one, by what they are to do. */
  readonly #takenUp = new Map<string, JobId>();
  /** Who hears of the facts of such a job, beside its log. */
  readonly #hearers = new Map<JobId, NonNullable<JobOrder["onFact"]>[]>();
  readonly #timer: NodeJS.Timeout | undefined;
  #stopping: { signal?: "SIGINT" | "SIGTERM" } | undefined;

  constructor(equipment: Equipment, ring: (id: JobId) => void) {
    this.#equipment = equipment;
    this.#ring = ring;
    if (equipment.database.kind === "postgres") this.#timer = setInterval(() => void this.#look(), lookMs).unref();
  }

  /** Works among other nodes; `isIdle`: on its own jobs alone. */
  join({ isIdle }: { isIdle: boolean }): void {
    const work = {
      takeUp: async (wake: HeldWake) => {
        const job = await findJob(wake.jobId, this.#equipment.database);
        return job !== undefined && (await this.#goOn(job, wake)) !== undefined;
      },
      lost: (wake: HeldWake) => this.#jobs.get(wake.jobId)?.giveUp("another node has taken this job"),
    };
    joinNodes(work, { isIdle }, this.#equipment);
  }

  get count(): number {
    return this.#jobs.size + this.#coming.size;
  }

  submit(order: JobOrder): Promise<SubmittedJob> {
    const taking = this.#stopping ? refuse(order) : this.#take(order);
    this.#coming.add(taking);
    return taking.finally(() => this.#coming.delete(taking));
  }

  async cancel(id: JobId, why?: { signal: "SIGINT" | "SIGTERM" }): Promise<void> {
    const { clock, database } = this.#equipment;
    const said = why?.signal ?? "request";
    const isOpen = await storeRequest({ runId: rootOf(id), kind: "cancel", why: said }, clock, database);
    if (!this.#jobs.has(id) || !isOpen) return;
    await this.#heed([id], why?.signal);
  }

  /** Throws Fault `usage` or `conflict` where nobody would hear it. */
  async steer(id: JobId, said: Steering): Promise<Steered> {
    const told = await storeSteering(id, said, this.#equipment);
    if (this.#jobs.has(id)) await this.#heed([id]);
    return told;
  }

  /** An answer that is stored reaches the run that waits for it, if it waits here. */
  answered(approval: StoredApproval): void {
    this.#jobs.get(approval.jobId)?.questions.tell(approval);
  }

  async idle(): Promise<void> {
    while (this.count > 0) {
      await Promise.allSettled([...this.#coming, ...[...this.#jobs.values()].map((job) => job.done)]);
    }
  }

  /** Takes no more, cancels all that run here, and waits for them. */
  async stop(signal: "SIGINT" | "SIGTERM"): Promise<void> {
    this.#stopping = { signal };
    for (const job of this.#jobs.values()) job.cancel(signal);
    await this.idle();
  }

  /**
   * Takes no more, and lets go of all that run here but one: whoever comes next goes on with them from their logs. Turns
   * under way are not waited for.
   */
  async handBack(but?: JobId): Promise<void> {
    this.#stopping ??= {};
    const leaving = [...this.#jobs.values()].filter(({ id }) => id !== but);
    for (const job of leaving) job.giveUp("this process is stopping, and hands the job back");
    await Promise.allSettled(leaving.map(({ done }) => done));
    const { jobs } = this.#equipment;
    if (but === undefined) await jobs?.drain(0);
    else await Promise.allSettled(leaving.map(({ wake }) => wake && jobs?.putBack(wake)));
  }

  /** Takes no more, and waits for all that run here. */
  async close(): Promise<void> {
    this.#stopping ??= {};
    clearInterval(this.#timer);
    await this.idle();
  }

  async #take(order: JobOrder): Promise<SubmittedJob> {
    const told: { id?: JobId } = {};
    const onFact: JobOrder["onFact"] = (run, fact) => {
      order.onFact?.(run, fact);
      if (told.id) this.#ring(told.id);
    };
    // Loaded with the first job: looking at old ones needs nothing of what runs them.
    const { specShaOf, submit } = await import("./submit.ts");
    const going = this.#goingOn(specShaOf(order, this.#equipment));
    if (going) {
      await order.repository.close();
      if (order.onFact) this.#hearers.get(going.id)?.push(order.onFact);
      return { id: going.id, handle: going.handle, isNew: false, isTakenUp: true, done: going.done };
    }
    const taken = await submit({ ...order, onFact }, this.#equipment).catch(async (thrown: unknown) => {
      await order.repository.close();
      throw thrown;
    });
    if ("earlier" in taken) return this.#earlier(taken.earlier, order);
    told.id = taken.started.id;
    return this.#hold(taken.started, order);
  }

  /** Goes on with all jobs whose process is gone. The caller knows that it is: nobody else has this database. */
  async takeUp(): Promise<TakenUp[]> {
    const { database } = this.#equipment;
    const jobs = await listJobs({ limit: mostTakenUp, state: "running" }, database);
    if (jobs.length === 0) return [];
    const taken: TakenUp[] = [];
    for (const job of jobs.toReversed()) {
      const going = this.#jobs.has(job.id) ? undefined : await this.#goOn(job);
      if (going) taken.push(going);
    }
    return taken;
  }

  async #goOn(job: StoredJob, wake?: HeldWake): Promise<TakenUp | undefined> {
    if (this.#stopping) return undefined;
    const { takeUp } = await import("./resume/take-up.ts");
    const going = await takeUp(job, { onFact: this.#telling(job.id), wake }, this.#equipment);
    if (!going) return undefined;
    this.#takenUp.set(job.specSha, job.id);
    this.#hold(going.started, going);
    return going;
  }

  #telling(id: JobId): NonNullable<JobOrder["onFact"]> {
    const hearers: NonNullable<JobOrder["onFact"]>[] = [];
    this.#hearers.set(id, hearers);
    return (run, fact) => {
      for (const hear of hearers) hear(run, fact);
      this.#ring(id);
    };
  }

  /** The same job again, while what was left of it is being done: that is what was asked for. */
  #goingOn(specSha: string): StartedJob | undefined {
    const id = this.#takenUp.get(specSha);
    return id === undefined ? undefined : this.#jobs.get(id);
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

  #hold(job: StartedJob, { repository }: Pick<JobOrder, "repository">): SubmittedJob {
    this.#jobs.set(job.id, job);
    const done = untilOver(job, async () => {
      this.#jobs.delete(job.id);
      this.#hearers.delete(job.id);
      this.#ring(job.id);
      await repository.close();
    });
    // What was asked while it was taken in: to stop with all others, or by a request that is stored.
    if (this.#stopping) job.cancel(this.#stopping.signal);
    else void this.#look();
    // Whoever submitted may look away; its end is in the log all the same.
    done.catch(() => {});
    return { id: job.id, handle: job.handle, isNew: true, done };
  }

  /** Takes what was asked of these jobs, and does it. */
  async #heed(ids: readonly JobId[], signal?: "SIGINT" | "SIGTERM"): Promise<void> {
    const { clock, database } = this.#equipment;
    for (const request of await takeRequests(ids.map(rootOf), clock, database)) {
      const job = this.#jobs.get(jobId.parse(request.runId));
      if (request.kind === "cancel") job?.cancel(signal);
      else job?.notices.tell(request.task, asSaid(request.text));
    }
  }

  async #look(): Promise<void> {
    const { database } = this.#equipment;
    await this.#heed([...this.#jobs.keys()]).catch(() => {});
    const waiting = [...this.#jobs.values()].flatMap((job) => job.questions.ids);
    for (const approval of await findSettled(waiting, database).catch(() => [])) this.answered(approval);
  }
}

async function refuse({ repository }: JobOrder): Promise<never> {
  await repository.close();
  throw new Fault("locked", "this Sheaf is stopping, and takes no more jobs", { remedy: "run it again" });
}

async function untilOver({ done }: StartedJob, leave: () => Promise<void>) {
  try {
    return await done;
  } finally {
    await leave();
  }
}

/** A job's id is the id of its root run. */
function rootOf(id: JobId): RunId {
  return runId.parse(id);
}
