import { findSettled, type StoredApproval } from "../db/find-approval.ts";
import { findJob, type StoredJob } from "../db/find-job.ts";
import { storeRequest, takeRequests } from "../db/store-request.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobId, jobId, type RunId, runId } from "../protocol/ids.ts";
import type { Steered, Steering } from "../protocol/steer.ts";
import { atRest } from "./at-rest.ts";
import type { Equipment } from "./equipment.ts";
import { tenant } from "./gate/spending.ts";
import { asSaid, storeSteering } from "./gate/steer.ts";
import { giveBack } from "./give-back.ts";
import type { Running } from "./running.ts";
import type { StartedJob } from "./start-job.ts";
import type { Intake } from "./take-in.ts";

/** How often another process's requests are looked for. The embedded database has no other process. */
const lookMs = 1_000;

/**
 * What people ask of jobs. It is a row first, which only the job's owner takes: asking works the same from this process
 * and from another one on the same database.
 */
export class Asking implements Disposable {
  readonly #running: Running;
  readonly #intake: Intake;
  readonly #equipment: Equipment;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(running: Running, intake: Intake, equipment: Equipment) {
    this.#running = running;
    this.#intake = intake;
    this.#equipment = equipment;
    if (equipment.database.kind === "postgres") this.#timer = setInterval(() => void this.look(), lookMs).unref();
  }

  async cancel(id: JobId, why?: { signal: "SIGINT" | "SIGTERM" }): Promise<void> {
    const { clock, database } = this.#equipment;
    const said = why?.signal ?? "request";
    const isOpen = await storeRequest({ runId: rootOf(id), kind: "cancel", why: said }, clock, database);
    if (!isOpen) return;
    if (this.#running.get(id)) await this.#heed([id], why?.signal);
    else await this.#endWhatNobodyHas(id);
  }

  /** Throws Fault `usage` or `conflict` where nobody would hear it. */
  async steer(id: JobId, said: Steering): Promise<Steered> {
    const told = await storeSteering(id, said, this.#equipment);
    if (this.#running.get(id)) await this.#heed([id]);
    return told;
  }

  /** Throws Fault `conflict` for a job that is over. */
  async pause(id: JobId): Promise<void> {
    await this.#store(id, "pause");
    if (this.#running.get(id)) await this.#heed([id]);
  }

  /** Goes on with it: here, where nobody else can; among several nodes on any that serves. */
  async resume(id: JobId): Promise<void> {
    const { database, jobs } = this.#equipment;
    const stored = await findJob(id, database);
    const rest = stored && (await atRest([stored], this.#running, this.#equipment)).get(id);
    if (rest === undefined || !stored) throw notPaused(stored);
    await this.#store(id, "resume");
    const job = this.#running.get(id);
    if (job) await this.#heed([id]);
    if (job?.pausing.goOn()) return;
    if (database.kind === "postgres" && jobs) {
      return jobs.send([{ runId: rootOf(id), jobId: id, tenant, priority: 0 }], undefined, { isOwed: true });
    }
    await job?.done.catch(() => {});
    await this.#intake.goOn(stored);
  }

  async #store(id: JobId, kind: "pause" | "resume"): Promise<void> {
    const { clock, database } = this.#equipment;
    if (await storeRequest({ runId: rootOf(id), kind }, clock, database)) return;
    throw notPaused(await findJob(id, database));
  }

  /** An answer that is stored reaches the run that waits for it, if it waits here. */
  answered(approval: StoredApproval): void {
    this.#running.get(approval.jobId)?.questions.tell(approval);
  }

  /** Looks for what was asked of the jobs here by others, and for answers. */
  async look(): Promise<void> {
    const { database } = this.#equipment;
    const { ids } = this.#running;
    await this.#heed(ids).catch(() => {});
    const waiting = ids.flatMap((id) => this.#running.get(id)?.questions.ids ?? []);
    for (const approval of await findSettled(waiting, database).catch(() => [])) this.answered(approval);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** A job whose process is gone hears nothing: it is taken up for its end. Whoever takes it first does that. */
  async #endWhatNobodyHas(id: JobId): Promise<void> {
    const { database } = this.#equipment;
    const job = await findJob(id, database);
    const rest = job && (await atRest([job], this.#running, this.#equipment)).get(id);
    if (!job || rest === undefined || rest === "pausing") return;
    const wake = await this.#intake.hold(id);
    if (wake === "elsewhere") return;
    let going: Awaited<ReturnType<Intake["goOn"]>>;
    try {
      going = await this.#intake.goOn(job, wake);
    } finally {
      if (!going) await giveBack(wake, this.#equipment);
    }
    await going?.started.done.catch((thrown: unknown) => {
      // Another node was faster, and has heard the request.
      if (!(thrown instanceof Fault) || thrown.code !== "fenced") throw thrown;
    });
  }

  /** Takes what was asked of these jobs, and does it. */
  async #heed(ids: readonly JobId[], signal?: "SIGINT" | "SIGTERM"): Promise<void> {
    const { clock, database } = this.#equipment;
    for (const request of await takeRequests(ids.map(rootOf), clock, database)) {
      const job = this.#running.get(jobId.parse(request.runId));
      if (request.kind === "cancel") job?.cancel(signal);
      else if (request.kind === "pause") this.#layAside(job);
      else if (request.kind === "resume") job?.pausing.goOn();
      else job?.notices.tell(request.task, asSaid(request.text));
    }
  }

  /** Once it rests, nobody is to be woken for it until it is told to go on. */
  #layAside(job: StartedJob | undefined): void {
    if (!job) return;
    job.pausing.ask();
    const { wake } = job;
    const { jobs } = this.#equipment;
    job.done.catch(async () => {
      // It may have been told to go on since.
      if (wake && job.pausing.isAsked) await jobs?.complete([wake]).catch(() => jobs.letGo(wake));
    });
  }
}

function notPaused(job: StoredJob | undefined): Fault {
  const what = job?.state === "running" ? "is not paused" : `is over${job?.outcome ? `: ${job.outcome}` : ""}`;
  return new Fault("conflict", `${job?.handle ?? "the job"} ${what}`, { remedy: "sheaf list shows how jobs stand" });
}

/** A job's id is the id of its root run. */
function rootOf(id: JobId): RunId {
  return runId.parse(id);
}
