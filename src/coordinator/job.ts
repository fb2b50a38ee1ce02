import type { JobBudget } from "../budget/job-budget.ts";
import type { ClaimedRun } from "../db/claim-run.ts";
import type { Consequences } from "../db/consequences.ts";
import type { Fact } from "../protocol/event.ts";
import type { Failure } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { HeldWake } from "../queue/queue.ts";
import type { Span, Tracer } from "../telemetry/thread-tracer.ts";
import type { BlobFiles } from "../workspace/blob-files.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Questions } from "./approvals/questions.ts";
import type { Brief } from "./brief/brief.ts";
import type { Notices } from "./gate/notices.ts";
import type { Pausing } from "./pausing.ts";
import type { History } from "./resume/history.ts";
import type { Standing } from "./standing.ts";

/** A job in this process's hands: its specification, its repository, its root log and its root span. */
export interface Job {
  id: JobId;
  handle: string;
  /** The right to write the job's own log. */
  root: ClaimedRun;
  spec: JobSpec;
  repository: Repository;
  span: Span;
  /** Records the coordinator's own spans of this job. */
  tracer: Tracer;
  startedAt: number;
  /** What was done of it before this process had it; absent: nothing. */
  history?: History | undefined;
  /** Says to other nodes that it is this one's; absent where there are none. */
  wake?: HeldWake | undefined;
  /** Whether it still is this process's. */
  standing: Standing;
  /** Aborted when the job is cancelled, out of time, or not this process's any more; the reason is a `JobStopped`. */
  signal: AbortSignal;
  /** Where its work may rest. */
  pausing: Pausing;
  /** What its agents are told of the job as a whole. */
  brief: Brief;
  /** What its runs wait for people with. */
  questions: Questions;
  /** What its agents may spend, and have spent. */
  budget: JobBudget;
  /** What people say to its agents. */
  notices: Notices;
  /** What its agents search in. */
  blobs: BlobFiles;
  /** Appends to the root run's log; resolves when the facts are stored, and what follows from them. */
  log(facts: readonly Fact[], also?: Consequences): Promise<void>;
  /** Appends to the log of one of the job's runs. One append of a run at a time. */
  logRun(
    run: Pick<ClaimedRun, "runId" | "epoch">,
    facts: readonly Fact[],
    spanId?: string,
    also?: Consequences,
  ): Promise<void>;
}

/** Why a job ends before its work does. */
export class JobStopped extends Error {
  readonly outcome: "cancelled" | "limit";
  readonly failure: Failure;
  readonly signal: "SIGINT" | "SIGTERM" | undefined;

  constructor(outcome: "cancelled" | "limit", failure: Failure, signal?: "SIGINT" | "SIGTERM") {
    super(failure.message);
    this.name = "JobStopped";
    this.outcome = outcome;
    this.failure = failure;
    this.signal = signal;
  }
}
