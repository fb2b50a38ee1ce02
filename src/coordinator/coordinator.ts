import { findJob, type StoredJob } from "../db/find-job.ts";
import type { ApprovalAnswer, ApprovalView } from "../protocol/approval.ts";
import type { CollectionOrder, CollectionReport } from "../protocol/collection.ts";
import type { Event } from "../protocol/event.ts";
import type { Explanation } from "../protocol/explanation.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId, RunId } from "../protocol/ids.ts";
import type { JobView, RunView, TaskView } from "../protocol/job-view.ts";
import type { Result } from "../protocol/result.ts";
import type { Retrying } from "../protocol/retry.ts";
import type { StoredSpan } from "../protocol/span.ts";
import type { Steered, Steering } from "../protocol/steer.ts";
import {
  type ApprovalQuery,
  approvalsPage,
  type Decided,
  decideApproval,
  showApproval,
} from "./approvals/decide-approval.ts";
import { Asking } from "./asking.ts";
import type { Equipment } from "./equipment.ts";
import type { ExplainQuestion } from "./explain.ts";
import { openFeeds, type PlacedEvent } from "./feed.ts";
import type { TakenUp } from "./resume/take-up.ts";
import { Running } from "./running.ts";
import { showJobs } from "./show-jobs.ts";
import type { JobOrder } from "./submit.ts";
import { Intake } from "./take-in.ts";

export type { ApprovalQuery, Decided } from "./approvals/decide-approval.ts";
export type { PlacedEvent } from "./feed.ts";
export type { JobOrder } from "./submit.ts";

/** Takes jobs in and lets them be followed, looked at and stopped: in this process, or in another one. */
export interface Coordinator {
  /**
   * The order's repository is closed when the job is over, or when it could not be taken. Throws Fault when it cannot be
   * taken; nothing of it is stored then.
   */
  submit(order: JobOrder): Promise<SubmittedJob>;
  /** Newest first; `next` is the cursor of the page after, absent on the last. Throws Fault `usage` for a bad cursor. */
  jobs(page: { limit: number; after?: string | undefined }): Promise<{ jobs: JobView[]; next?: string }>;
  /** By id, handle or `last`. */
  job(reference: string): Promise<JobView | undefined>;
  /** Keeps what is finished, and ends a job that nobody works on itself; nothing happens to one that has ended. */
  cancel(id: JobId, why?: { signal: "SIGINT" | "SIGTERM" }): Promise<void>;
  /**
   * Lays it aside: nothing new is begun, what is under way comes to the end of its turn or step, and nobody works on it
   * until `resume`. Both throw Fault `conflict` for a job that is over; `resume` for one that is not paused, too.
   */
  pause(id: JobId): Promise<void>;
  resume(id: JobId): Promise<void>;
  /**
   * Says something to the agents of a running job, or of one of its tasks: each reads it with its next request. Throws
   * Fault `usage` for a task that is not there, `conflict` where nobody would hear it any more.
   */
  steer(id: JobId, said: Steering): Promise<Steered>;
  /**
   * A job that is over once more, as a new job; what succeeded is reused. Throws Fault `conflict` while it is not over,
   * `usage` for a task it does not have.
   */
  retry(id: JobId, asked: Retrying, more?: Pick<JobOrder, "onFact" | "traceparent">): Promise<SubmittedJob>;
  tasks(id: JobId): Promise<TaskView[]>;
  /** The job's facts after position `after` (0 for all), in batches; `isFollowed` waits for more until the job has ended. */
  events(
    id: JobId,
    options: { after: number; isFollowed: boolean; signal?: AbortSignal | undefined },
  ): AsyncIterable<PlacedEvent[]>;
  run(id: string): Promise<RunView | undefined>;
  /** A run's own log after seq `after`, at most 500 facts. */
  runEvents(id: RunId, after: number): Promise<Event[]>;
  trace(id: JobId): Promise<StoredSpan[]>;
  /** The job's result (or one task's own work) as a patch. Throws Fault `usage` where there is none. */
  patch(id: JobId, options: { task?: string | undefined }): Promise<Uint8Array>;
  /** The result's commits since the base, as a git bundle. Throws Fault `usage` where nothing landed. */
  bundle(id: JobId): Promise<Uint8Array>;
  /** What would become of a call, and why: one answer where all tasks and agents agree. Throws Fault `rule` or `usage`. */
  explain(id: JobId, question: ExplainQuestion): Promise<Explanation[]>;
  /**
   * Questions to people, newest first; `next` is the cursor of the page after. Throws Fault `usage` for a bad cursor,
   * `unknown_job` for a job that is not there.
   */
  approvals(query: ApprovalQuery): Promise<{ approvals: ApprovalView[]; next?: string }>;
  approval(id: string): Promise<ApprovalView | undefined>;
  /** Answers a question; the first answer counts. `by` names whoever answers, where this process has no other word. */
  decideApproval(id: string, answer: ApprovalAnswer, by: string): Promise<Decided>;
  /** Clears away what nobody needs any more, or says what that is. Throws Fault `locked` while another one is at it. */
  collect(order: CollectionOrder): Promise<CollectionReport>;
}

export interface SubmittedJob {
  id: JobId;
  handle: string;
  /** False when an earlier request of the same key had made it. */
  isNew: boolean;
  /** A process before this one had begun it; this one goes on with it. */
  isTakenUp?: boolean;
  /** Never rejects for anything the job met; only when its end could not be stored or heard of. */
  done: Promise<Result>;
}

/** The coordinator of this process. */
export interface LocalCoordinator extends Coordinator, AsyncDisposable {
  /** How many jobs run here now. */
  readonly running: number;
  /** Goes on with the jobs of a process that is gone, where this one alone has the database. */
  takeUp(): Promise<readonly TakenUp[]>;
  /** Works among other nodes on the same database; `isIdle`: on its own jobs alone. */
  join(options: { isIdle: boolean }): void;
  /** Takes nothing up from other nodes any more; what runs here goes on. Resolves once none of that is another node's. */
  leaveOthers(): Promise<void>;
  /** Lets go of all that run here but one: whoever comes next goes on with them. */
  handBack(but?: JobId): Promise<void>;
  /** Resolves when that job does not run here any more. */
  ended(id: JobId): Promise<void>;
  /** Resolves when none does. */
  idle(): Promise<void>;
  /** Cancels all that run here, and waits for them. */
  stop(signal: "SIGINT" | "SIGTERM"): Promise<void>;
}

export function createCoordinator(equipment: Equipment): LocalCoordinator {
  const { database } = equipment;
  const feeds = openFeeds(database);
  const ring = (id: JobId) => feeds.ring(id);
  const running = new Running(equipment, {
    came: () => void asking.look(),
    left(id) {
      intake.left(id);
      ring(id);
    },
  });
  const intake = new Intake(running, equipment, ring);
  const asking = new Asking(running, intake, equipment);
  const found = async (id: JobId) => required(await findJob(id, database), id);
  return {
    submit: (order) => intake.submit(order),
    ...showJobs(running, equipment),
    cancel: (id, why) => asking.cancel(id, why),
    pause: (id) => asking.pause(id),
    resume: (id) => asking.resume(id),
    steer: (id, said) => asking.steer(id, said),
    async retry(id, asked, more) {
      const { retryOrder } = await import("./retry.ts");
      const rules = { isTrusted: true, roots: [], isAllowedUrl: () => false };
      return intake.submit({ ...more, ...(await retryOrder(await found(id), asked, { rules, ...equipment })) });
    },
    events: (id, options) => feeds.read(id, options),
    async patch(id, { task }) {
      const { patchOfJob } = await import("./landing/deliver.ts");
      return patchOfJob(await found(id), task, equipment);
    },
    async bundle(id) {
      const { bundleOf } = await import("./landing/deliver.ts");
      return bundleOf(await found(id), equipment);
    },
    async explain(id, question) {
      const { explainStored } = await import("./explain.ts");
      return explainStored(await found(id), question, equipment);
    },
    approvals: (query) => approvalsPage(query, equipment),
    approval: (id) => showApproval(id, equipment),
    decideApproval: (id, answer, by) =>
      decideApproval({ id, answer, by }, (approval) => asking.answered(approval), equipment),
    async collect(order) {
      const { collect } = await import("./housekeeping/collect.ts");
      return collect(order, equipment);
    },
    get running() {
      return running.count;
    },
    takeUp: () => intake.takeUp(),
    join: (options) => intake.join(options),
    async leaveOthers() {
      intake.leaveOthers();
      await equipment.spread?.leave();
    },
    handBack: async (but) => {
      await Promise.all([running.handBack(but), equipment.spread?.handBack()]);
    },
    ended: (id) => running.ended(id),
    idle: () => running.idle(),
    stop: (signal) => running.stop(signal),
    async [Symbol.asyncDispose]() {
      asking[Symbol.dispose]();
      await running.close();
      feeds.close();
    },
  };
}

function required(job: StoredJob | undefined, reference: string): StoredJob {
  if (job) return job;
  throw new Fault("unknown_job", `there is no job ${JSON.stringify(reference)}`, {
    remedy: "sheaf list shows them all",
  });
}
