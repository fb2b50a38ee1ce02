import { join } from "node:path";
import { JobBudget } from "../budget/job-budget.ts";
import type { StoredApproval } from "../db/find-approval.ts";
import { findRun } from "../db/find-run.ts";
import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import type { HeldWake } from "../queue/queue.ts";
import { BlobFiles } from "../workspace/blob-files.ts";
import type { Repository } from "../workspace/repository.ts";
import { askedIn, Questions } from "./approvals/questions.ts";
import { openBrief } from "./brief/brief.ts";
import type { Equipment } from "./equipment.ts";
import { Notices } from "./gate/notices.ts";
import { asSaid } from "./gate/steer.ts";
import { type Job, JobStopped } from "./job.ts";
import { leftToNext, withPatience } from "./patience.ts";
import { Pausing } from "./pausing.ts";
import { usageIn } from "./result/open-runs.ts";
import { redactRecord } from "./result/redact-record.ts";
import type { History } from "./resume/history.ts";
import { runJob } from "./run-job.ts";
import { heldBy } from "./spread/held-by.ts";
import { createStanding } from "./standing.ts";
import { clearAway } from "./tasks/clear-away.ts";
import { tellListeners } from "./tell-listeners.ts";

/** A job that was taken in and started. What it does is told in run-job. */
export interface StartedJob {
  id: JobId;
  handle: string;
  /** Never rejects for anything the job met; only when its end could not be stored. */
  done: Promise<Result>;
  /** Keeps what is finished; the job ends `cancelled`. */
  cancel(signal?: "SIGINT" | "SIGTERM"): void;
  /** Lets go of it as it is: nothing more is written, and whoever takes it up goes on from its log. */
  giveUp(why: string): void;
  pausing: Pausing;
  questions: Questions;
  notices: Notices;
  /** How this node has it among others. */
  wake?: HeldWake | undefined;
}

/** What is to be worked on, and who hears of it. */
export interface JobGround {
  spec: JobSpec;
  /** Stays open until the job is over. */
  repository: Repository;
  /** Told each fact once it is stored, with the run it belongs to. Must not throw. */
  onFact?: ((runId: string, fact: Fact) => void) | undefined;
}

/** A job of this process: one that it has just stored, or one that it goes on with. `usedMs` is what it has had of its time. */
export type OwnJob = Pick<Job, "id" | "root" | "handle" | "span" | "tracer" | "startedAt" | "history" | "wake"> & {
  usedMs: number;
  /** What was said to its agents before this process had it. */
  said?: readonly { text: string; task?: string | undefined }[];
  /** Its end was asked for before: it begins nothing, and ends with what is finished. */
  isCancelled?: boolean;
  /** Answers that hold for its rest. */
  answers?: readonly StoredApproval[];
};

/** Runs a job that this process owns, to its end. */
export function startJob(
  { usedMs, isCancelled = false, ...own }: OwnJob,
  ground: JobGround,
  around: Equipment,
): StartedJob {
  const equipment = withPatience(around);
  const stop = new AbortController();
  if (isCancelled) stop.abort(cancelled(undefined));
  const giveUp = (why: string, fault?: Fault) => {
    standing.giveUp(why, fault);
    stop.abort(new JobStopped("cancelled", { code: "handed_back", message: why }));
  };
  const job = openJob({ ...own, signal: stop.signal, giveUp }, ground, equipment);
  const { time_ms } = ground.spec.limits;
  const limit = setTimeout(() => stop.abort(timeIsUp(time_ms)), Math.max(0, time_ms - usedMs));
  const { standing } = job;
  const done = runAndClear(job, equipment).finally(() => clearTimeout(limit));
  const { questions, notices, pausing } = job;
  const cancel = (signal?: "SIGINT" | "SIGTERM") => stop.abort(cancelled(signal));
  return { id: own.id, handle: own.handle, pausing, questions, notices, done, cancel, giveUp, wake: own.wake };
}

async function runAndClear(job: Job, equipment: Equipment): Promise<Result> {
  try {
    return await runJob(job, equipment);
  } finally {
    await clearAway({ dispose: () => job.blobs[Symbol.asyncDispose]() }, equipment);
  }
}

type Opened = Omit<OwnJob, "usedMs"> & Pick<Job, "signal"> & { giveUp: (why: string, fault?: Fault) => void };

function openJob(
  { said = [], answers = [], giveUp, ...own }: Opened,
  { spec, repository, onFact }: JobGround,
  equipment: Equipment,
): Job {
  const { writer, redact, clock, jobs, room } = equipment;
  const { outage } = equipment.database.standstills ?? {};
  const standing = createStanding(() => clock.now(), jobs && (() => jobs.leaseUntil()), outage);
  const told = { id: own.id, traceId: own.span.traceId };
  const append: Job["logRun"] = async (run, said, spanId, also) => {
    const facts = said.map((fact) => redactRecord(fact, redact));
    await standing.confirm();
    const write = async () => {
      await room?.pass();
      await writer.append(run, facts, { ...(spanId ? { spanId } : {}), ...(also ? { also } : {}) });
    };
    await write().catch(async (thrown: unknown) => {
      const left = leftToNext(thrown);
      if (left) giveUp("the store has not taken what it did", left);
      // Told by the log before the queue says so: nothing here is withdrawn or ended under the new owner.
      else if (await isTaken(thrown, own.root, equipment)) giveUp("another process has taken this job");
      throw left ?? thrown;
    });
    // What the facts announce is done after this: by then it may be somebody else's to do.
    await standing.confirm();
    for (const fact of facts) onFact?.(run.runId, fact);
    tellListeners(equipment, { job: told, runId: run.runId, facts });
  };
  const budget = new JobBudget(own.id, spec.limits, equipment.spending.jobLimit);
  if (own.history) restoreBudget(budget, own.history, equipment);
  const [questions, notices] = [new Questions(), new Notices()];
  for (const { task, text } of said) notices.tell(task, asSaid(text));
  for (const approval of answers) questions.remember(askedIn(approval), approval);
  const log: Job["log"] = (facts, also) => append(own.root, facts, undefined, also);
  return {
    ...own,
    spec,
    repository,
    standing,
    pausing: new Pausing(own.signal, () => giveUp("it is paused", pausedFault(own.handle))),
    brief: openBrief({ spec, repository, log }, equipment),
    questions,
    budget,
    notices,
    blobs: new BlobFiles(repository, join(equipment.home, "checkouts", `search-${own.id}`)),
    log,
    logRun: append,
  };
}

/** One run alone may have a new owner, where any node does it: then the job is still this process's. */
async function isTaken(thrown: unknown, { runId, epoch }: Job["root"], { database }: Equipment): Promise<boolean> {
  if (!(thrown instanceof Fault) || thrown.code !== "fenced") return false;
  const row = await findRun(runId, database).catch(() => undefined);
  return row !== undefined && row.epoch !== epoch;
}

/** What runs elsewhere use is reserved as their logs say, and counted with their ends. */
function restoreBudget(budget: JobBudget, { events, elsewhere }: History, { models }: Equipment): void {
  for (const [id, log] of Map.groupBy(events, ({ run_id }) => run_id)) {
    const started = log.find((event) => event.type === "run.started");
    if (started?.type !== "run.started") continue;
    const run = { id, task: started.data.task_id };
    if (elsewhere.has(id)) budget.presumeElsewhere(run, heldBy(log, models));
    else budget.restore(run, usageIn(log, models));
  }
}

function pausedFault(handle: string): Fault {
  return new Fault("fenced", `${handle} is paused`, { remedy: `sheaf resume ${handle} goes on with it` });
}

function timeIsUp(ms: number): JobStopped {
  return new JobStopped("limit", {
    code: "time",
    message: `the job's time of ${Math.round(ms / 1000)} s is up`,
    remedy: "raise limits.time, or split the job; finished tasks are kept",
  });
}

function cancelled(signal: "SIGINT" | "SIGTERM" | undefined): JobStopped {
  return new JobStopped("cancelled", { code: "cancelled", message: `cancelled by ${signal ?? "request"}` }, signal);
}
