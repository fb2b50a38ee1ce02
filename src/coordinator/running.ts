import type { JobId } from "../protocol/ids.ts";
import type { HeldWake } from "../queue/queue.ts";
import type { SubmittedJob } from "./coordinator.ts";
import type { Equipment } from "./equipment.ts";
import { giveBack } from "./give-back.ts";
import { hurry, leftToNext } from "./patience.ts";
import type { StartedJob } from "./start-job.ts";
import type { JobOrder } from "./submit.ts";

/**
 * The jobs that run in this process, from when they come in until they leave. How one comes in is told in take-in.ts,
 * what people ask of one in asking.ts; this only knows who is here.
 */
export class Running {
  readonly #equipment: Equipment;
  readonly #changed: Changes;
  readonly #jobs = new Map<JobId, StartedJob>();
  /** Jobs that are being taken in. */
  readonly #coming = new Map<JobId, Promise<unknown>>();
  /** Wakes of such that were lost meanwhile. */
  readonly #lost = new Map<JobId, string>();
  /** Let go of because this process leaves: their wakes go back all at once. */
  readonly #leaving = new Set<StartedJob>();
  #stopping: Stopping | undefined;

  constructor(equipment: Equipment, changed: Changes) {
    this.#equipment = equipment;
    this.#changed = changed;
  }

  get count(): number {
    return this.#jobs.size + this.#coming.size;
  }

  get ids(): JobId[] {
    return [...this.#jobs.keys()];
  }

  /** It takes no more. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  get(id: JobId): StartedJob | undefined {
    return this.#jobs.get(id);
  }

  /** It runs here, or is about to. */
  has(id: JobId): boolean {
    return this.#jobs.has(id) || this.#coming.has(id);
  }

  /** Counts it from now on, until it has come in or was refused. */
  expect<T>(id: JobId, coming: Promise<T>): Promise<T> {
    this.#coming.set(id, coming);
    return coming.finally(() => {
      if (this.#coming.get(id) !== coming) return;
      this.#coming.delete(id);
      this.#lost.delete(id);
    });
  }

  /** Closes its repository when it is over. */
  hold(job: StartedJob, { repository }: Pick<JobOrder, "repository">): SubmittedJob {
    this.#jobs.set(job.id, job);
    const done = untilOver(job, async (thrown) => {
      // Where this process was given it anew meanwhile, that one stays.
      if (this.#jobs.get(job.id) !== job) return repository.close();
      this.#jobs.delete(job.id);
      this.#giveBack(job, thrown);
      this.#changed.left(job.id);
      await repository.close();
    });
    // What was asked while it was taken in: to stop with all others, or by a request that is stored.
    if (this.#stopping?.how === "cancel") job.cancel(this.#stopping.signal);
    else if (this.#stopping?.how === "handBack" && job.id !== this.#stopping.but) this.#handBack(job);
    else this.#changed.came(job.id);
    if (job.wake && this.#lost.get(job.id) === job.wake.id) job.giveUp(taken);
    // Whoever submitted may look away; its end is in the log all the same.
    done.catch(() => {});
    return { id: job.id, handle: job.handle, isNew: true, done };
  }

  /** Another node has its job now, or will have it before it has come in here. */
  lost({ id, jobId }: HeldWake): void {
    const job = this.#jobs.get(jobId);
    if (job?.wake?.id === id) job.giveUp(taken);
    else if (this.#coming.has(jobId)) this.#lost.set(jobId, id);
  }

  /** Resolves when it does not run here any more, however it ended. */
  async ended(id: JobId): Promise<void> {
    await this.#jobs.get(id)?.done.catch(() => {});
  }

  async idle(): Promise<void> {
    while (this.count > 0) {
      await Promise.allSettled([...this.#coming.values(), ...[...this.#jobs.values()].map((job) => job.done)]);
    }
  }

  /** Takes no more, cancels all that run here, and waits for them. */
  async stop(signal: "SIGINT" | "SIGTERM"): Promise<void> {
    this.#stopping = { how: "cancel", signal };
    hurry(this.#equipment);
    for (const job of this.#jobs.values()) job.cancel(signal);
    await this.idle();
  }

  /**
   * Takes no more, and lets go of all that run here but one: whoever comes next goes on with them from their logs. Turns
   * under way are not waited for.
   */
  async handBack(but?: JobId): Promise<void> {
    if (this.#stopping?.how !== "cancel") this.#stopping = { how: "handBack", but };
    hurry(this.#equipment);
    for (const job of this.#jobs.values()) if (job.id !== but) this.#handBack(job);
    await Promise.allSettled([...this.#coming].filter(([id]) => id !== but).map(([, coming]) => coming));
    const leaving = [...this.#leaving];
    await Promise.allSettled(leaving.map(({ done }) => done));
    const { jobs } = this.#equipment;
    // Where the database cannot be told, their leases run out.
    if (but === undefined) await jobs?.drain(0).catch(() => {});
    else await Promise.allSettled(leaving.map(({ wake }) => wake && jobs?.putBack(wake)));
  }

  /** Takes no more, and waits for all that run here. */
  async close(): Promise<void> {
    this.#stopping ??= { how: "wait" };
    await this.idle();
  }

  /** Nobody works on it, and its end is not stored: another node, or this one, is given it. */
  #giveBack(job: StartedJob, thrown: unknown): void {
    // Of a process that leaves all go back at once, and nobody is woken for one that is laid aside.
    if (thrown === undefined || this.#leaving.has(job) || job.pausing.isAsked) return;
    if (!leftToNext(thrown)) void giveBack(job.wake, this.#equipment);
    // Nobody could be told: as soon as the queue answers.
    else if (job.wake) this.#equipment.jobs?.letGo(job.wake);
  }

  #handBack(job: StartedJob): void {
    this.#leaving.add(job);
    job.giveUp("this process is stopping, and hands the job back");
  }
}

const taken = "another node has taken this job";

/** What becomes of those that are here, or come in after all. */
type Stopping =
  | { how: "cancel"; signal: "SIGINT" | "SIGTERM" }
  | { how: "handBack"; but: JobId | undefined }
  | { how: "wait" };

/** Who is told as jobs come and go. */
interface Changes {
  came(id: JobId): void;
  left(id: JobId): void;
}

async function untilOver({ done }: StartedJob, leave: (thrown?: unknown) => Promise<void>) {
  let failure: unknown;
  try {
    return await done;
  } catch (thrown) {
    failure = thrown;
    throw thrown;
  } finally {
    await leave(failure);
  }
}
