import type { Spent } from "../budget/job-budget.ts";
import type { ClaimedRun } from "../db/claim-run.ts";
import { UnfitFact } from "../db/fact-rows.ts";
import { type Failure, toFailure } from "../protocol/failure.ts";
import type { RunId } from "../protocol/ids.ts";
import { noUsage } from "../protocol/message.ts";
import type { RecordedRun } from "../protocol/recording.ts";
import type { RunOrder, RunReport } from "../protocol/thread.ts";
import type { Bundle } from "../workspace/bundle.ts";
import { Unsettled } from "../workspace/unsettled.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { briefRun, type Told } from "./brief/brief-run.ts";
import { RunEnded } from "./calls/run-tool-command.ts";
import { SetupFailed } from "./commands/setup-failed.ts";
import type { Equipment } from "./equipment.ts";
import type { AskedModel, SpentBefore } from "./gate/gate-order.ts";
import { openRunGate } from "./gate/open-gate.ts";
import { recordedRuns, withoutRecording } from "./gate/recordings.ts";
import { type Job, JobStopped } from "./job.ts";
import { openPort } from "./open-port.ts";
import { standstillOf } from "./patience.ts";
import type { HostPort } from "./port.ts";
import type { PastRun } from "./resume/history.ts";
import { Parted } from "./resume/parted.ts";
import { PastLog } from "./resume/past-log.ts";
import { pastTurns } from "./resume/past-turns.ts";
import { spentBefore } from "./resume/spent-before.ts";
import type { FinishedRun, StepOrder } from "./tasks/step-order.ts";
import { startIdleLimit } from "./threads/idle-limit.ts";
import type { PoolAnswer } from "./threads/pool.ts";

/**
 * Gives a run to a thread and stays at its port until it is over: by its own end, by a cancel, by its idle limit, or
 * because the thread died. A cancel goes through the port and harms no sibling; only a run that does not let go
 * costs its thread.
 */
export interface Surroundings {
  workspace: Workspace;
  bundle: Bundle | undefined;
  /** Aborted when the agent that started this one is over. */
  until?: AbortSignal;
  /** Where its thread dies among others, the caller goes on with it from its log. */
  mayGoOn?: boolean;
  /** Milliseconds; when its time began, if that was in another thread. */
  begunAt?: number;
  job: Job;
  equipment: Equipment;
}

export interface ThreadEnding extends Omit<FinishedRun, "taken"> {
  /** Its thread died among others, and its log can be gone on from: all that was under way outside is in it. */
  isCutOff?: boolean;
}

/** Turns of one run when nothing says otherwise (job-file.md). */
const defaultTurns = 40;
/** How long a cancelled run may take to let go. */
const lettingGoMs = 2_000;

export async function runInThread(run: ClaimedRun, order: StepOrder, around: Surroundings): Promise<ThreadEnding> {
  const { job, equipment } = around;
  const { pool, watch } = equipment.pool();
  const { agent } = order.step;
  const model = equipment.models.of(agent.model);
  if (model && "failure" in model) return { report: deadReport(model.failure), denials: [], hasThreadDied: false };
  const recording = await recordedRuns(order, around);
  const told = await briefRun(order, job);
  const over = new AbortController();
  const { signal } = over;
  const threadGone = new AbortController();
  let hasLostAgent = false;
  const runAgent = async (started: ClaimedRun, wanted: StepOrder) => {
    const { workspace } = around;
    const ending = await runInThread(started, wanted, { workspace, bundle: undefined, job, equipment, until: signal });
    hasLostAgent ||= ending.hasThreadDied;
    return ending;
  };
  const during = <T>(wait: () => Promise<T>) => idle.during(wait);
  const { past, before } = order.past ? recall(order.past, order.task.id, around) : nothingBefore;
  const gate = openRunGate({
    ...{ run, taskId: order.task.id, agent, model, job, equipment, during, before },
    signal: AbortSignal.any([signal, threadGone.signal]),
  });
  const progressed = () => idle.restart();
  const port = openPort(run, order, { ...around, progressed, during, signal, gate, past, runAgent });
  const cancel = (failure: Failure) => {
    port.cancel(failure);
    over.abort(new RunEnded(failure.message));
    // The first counts: whatever the run still says on its way out may make it idle once more.
    lettingGo ??= setTimeout(() => pool.end(port.threadId), lettingGoMs);
  };
  let lettingGo: NodeJS.Timeout | undefined;
  // Nobody is idle who waits with all others for the database, or for room on a disk.
  const idle = startIdleLimit(job.spec.limits.idle_ms, () =>
    standstillOf(equipment) ? idle.restart() : cancel(idleFailure(job.spec.limits.idle_ms)),
  );
  const timeMs = agent.limits?.time_ms;
  const time = timeMs === undefined ? undefined : setTimeout(() => cancel(timeFailure(timeMs)), leftOf(timeMs, around));
  const ends = around.until ? AbortSignal.any([job.signal, around.until]) : job.signal;
  const stop = () => cancel(reasonOf(ends));
  ends.addEventListener("abort", stop, { once: true });
  watch.begin(port);
  try {
    const answering = pool.run(orderOf(run.runId, order, { ...around, recording, told, model }), port.threadEnd, {
      isAlone: order.isAlone,
    });
    if (ends.aborted) stop();
    const answer = await answering;
    const isGoing = () => !lettingGo && !ends.aborted;
    const goesOn = answer.kind === "died" && mayGoOn(order, around) && isGoing();
    // What is under way outside comes to its end in the log, and who waits for a person still does; no call is let through.
    (goesOn ? threadGone : over).abort(new RunEnded("its thread is gone"));
    await port.close();
    over.abort(new RunEnded("its run is over"));
    const isCutOff = goesOn && isGoing() && !hasLostAgent && !port.thrown;
    const spent = await gate.close({ isGoingOn: isCutOff });
    if (!lettingGo) port.failUnlessSaid(past, { hasDied: answer.kind === "died" });
    return { ...endingOf(answer, port, { run, spent, around }), ...usedModel(model), isCutOff };
  } finally {
    clearTimeout(lettingGo);
    clearTimeout(time);
    await gate.close();
    idle.stop();
    watch.end(port);
    ends.removeEventListener("abort", stop);
  }
}

interface Ended {
  run: ClaimedRun;
  spent: Spent;
  around: Surroundings;
}

function endingOf(answer: PoolAnswer, port: HostPort, { run, spent, around: { job, equipment } }: Ended): ThreadEnding {
  if (port.thrown) return { ...endedBy(port.thrown.cause, port), spent };
  const hasThreadDied = answer.kind === "died";
  equipment.hub.closeOrphans(run.runId, hasThreadDied ? answer.failure.message : "its run ended without it");
  const approved = job.questions.editsOf(run.runId);
  const said = hasThreadDied ? deadReport(answer.failure) : answer.report;
  const report = { ...said, usage: spent.usage };
  return { report, spent, denials: port.denials, hasThreadDied, approved };
}

/** Of an agent with answers that cost something; what a planner handed in is counted beside its log. */
function mayGoOn({ isAlone, step, judgePlan }: StepOrder, around: Surroundings): boolean {
  return around.mayGoOn === true && !isAlone && !judgePlan && step.agent.model.provider === "messages";
}

function leftOf(timeMs: number, { begunAt, equipment: { clock } }: Surroundings): number {
  return begunAt === undefined ? timeMs : Math.max(0, begunAt + timeMs - clock.now());
}

interface Before {
  past?: PastLog;
  before?: SpentBefore;
}

const nothingBefore: Before = {};

/** What a run that goes on has said, heard and used. */
function recall({ runId, events, isInBooks }: PastRun, taskId: string, { job, equipment }: Surroundings): Before {
  const heard = events.filter((event) => event.type === "run.notified" && event.data.kind === "steer");
  job.notices.heardBefore(runId, taskId, heard.length);
  const before = spentBefore(events, equipment.models);
  if (isInBooks) job.budget.carry(runId, before.spent);
  return { past: new PastLog(events, equipment.redact), before };
}

/**
 * What a command left that git cannot tell, what a run said that cannot be kept, and a setup that fails, end the run;
 * anything else is Sheaf's own failure.
 */
function endedBy(cause: unknown, { denials }: HostPort): ThreadEnding {
  const isOfRun = cause instanceof Unsettled || cause instanceof UnfitFact;
  if (isOfRun) return { report: deadReport(toFailure(cause)), denials, hasThreadDied: false };
  if (cause instanceof Parted) return { report: partedReport(cause), denials, hasThreadDied: false, hasParted: true };
  if (!(cause instanceof SetupFailed)) throw cause;
  const { code, message, remedy, log = "" } = cause.reason;
  const report = deadReport({ code, message, ...(remedy ? { remedy } : {}) });
  return { report, denials, hasThreadDied: false, tail: log, ...(cause.isAtBase ? { endsJob: cause } : {}) };
}

function orderOf(
  id: RunId,
  order: StepOrder,
  around: Surroundings & { recording: RecordedRun[] | undefined; told: Told; model: AskedModel | undefined },
): RunOrder {
  const { workspace, bundle, job, recording, told, model } = around;
  return {
    run_id: id,
    task_id: order.task.id,
    title: order.task.title,
    agent: withoutRecording(order.step.agent),
    ...(recording ? { recording } : {}),
    ...(model ? { model } : {}),
    ...told,
    files: order.task.files,
    scope: order.scope,
    ...(order.outside ? { tools: [...order.outside.tools] } : {}),
    workspace: {
      root: workspace.root,
      scratch: workspace.scratch,
      object_format: job.repository.objectFormat,
      is_case_insensitive: job.repository.isCaseInsensitive,
      ...(bundle ? { bundle } : {}),
    },
    traceparent: (order.parent ?? job.span).traceparent,
    ...(order.past ? { past: pastTurns(order.past.events) } : {}),
    max_turns: order.step.agent.limits?.turns ?? job.spec.limits.turns ?? defaultTurns,
  };
}

function usedModel(model: AskedModel | undefined): { model?: string } {
  return model ? { model: model.card.id } : {};
}

function timeFailure(ms: number): Failure {
  const message = `the agent's time of ${ms / 1000} s is up`;
  return { code: "time", message, remedy: "raise time in the agent's limits; what was done so far is kept" };
}

function idleFailure(ms: number): Failure {
  return {
    code: "idle",
    message: `nothing happened for ${ms / 1000} s`,
    remedy: "raise limits.idle if the work needs longer silences",
  };
}

function reasonOf(signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  if (reason instanceof RunEnded) return { code: "cancelled", message: "the agent that started it is over" };
  return reason instanceof JobStopped ? reason.failure : { code: "cancelled", message: "the job was cancelled" };
}

function deadReport(failure: Failure): RunReport {
  return { state: "failed", failure, turns: 0, usage: noUsage };
}

function partedReport({ failure }: Parted): RunReport {
  return { ...deadReport(failure), state: "cancelled" };
}
