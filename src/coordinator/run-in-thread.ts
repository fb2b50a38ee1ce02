import type { ClaimedRun } from "../db/claim-run.ts";
import { UnfitFact } from "../db/fact-rows.ts";
import { asSeen } from "../files/base-view.ts";
import type { Fact } from "../protocol/event.ts";
import { type Failure, toFailure } from "../protocol/failure.ts";
import type { RunId } from "../protocol/ids.ts";
import { noUsage } from "../protocol/message.ts";
import type { RecordedRun } from "../protocol/recording.ts";
import type { RunOrder, RunReport } from "../protocol/thread.ts";
import type { Bundle } from "../workspace/bundle.ts";
import { Unsettled } from "../workspace/unsettled.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { askApproval } from "./approvals/ask-approval.ts";
import { briefRun, type Told } from "./brief/brief-run.ts";
import { mostFacts, mostKeptBytes, openAllowance } from "./calls/allowance.ts";
import type { AllowedCall } from "./calls/call-book.ts";
import { openDesk } from "./calls/desk.ts";
import { runOutsideCall } from "./calls/run-outside-call.ts";
import { RunEnded } from "./calls/run-tool-command.ts";
import { SetupFailed } from "./commands/setup-failed.ts";
import type { Equipment } from "./equipment.ts";
import type { Gate } from "./gate/admission.ts";
import type { AskedModel, SpentBefore } from "./gate/gate-order.ts";
import { withNotices } from "./gate/notices.ts";
import { openRunGate } from "./gate/open-gate.ts";
import { recordedRuns, withoutRecording } from "./gate/recordings.ts";
import { type Job, JobStopped } from "./job.ts";
import { standstillOf } from "./patience.ts";
import { HostPort } from "./port.ts";
import { answerCall } from "./resume/answer-call.ts";
import { askAgain } from "./resume/ask-again.ts";
import type { PastRun } from "./resume/history.ts";
import { Parted } from "./resume/parted.ts";
import { pastGate } from "./resume/past-gate.ts";
import { PastLog } from "./resume/past-log.ts";
import { pastTurns } from "./resume/past-turns.ts";
import { spentBefore } from "./resume/spent-before.ts";
import type { FinishedRun, StepOrder } from "./tasks/step-order.ts";
import { startIdleLimit } from "./threads/idle-limit.ts";

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
  job: Job;
  equipment: Equipment;
}

export type ThreadEnding = Omit<FinishedRun, "taken">;

/** Turns of one run when nothing says otherwise (job-file.md). */
const defaultTurns = 40;
/** How long a cancelled run may take to let go. */
const lettingGoMs = 2_000;
/** Largest file a thread may ask for from outside its workspace, and most names in one listing. */
const mostFetchedBytes = 16 * 1024 * 1024;
const mostNames = 100_000;
/** PATH_MAX: what is larger is no link. */
const mostLinkBytes = 4_096;

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
  const during = <T>(wait: () => Promise<T>) => idle.during(wait);
  const { past, before } = order.past ? recall(order.past, order.task.id, around) : nothingBefore;
  const gate = openRunGate({ run, taskId: order.task.id, agent, model, job, equipment, during, signal, before });
  const progressed = () => idle.restart();
  const port = openPort(run, order, { ...around, progressed, during, signal, gate, past });
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
  const time = timeMs === undefined ? undefined : setTimeout(() => cancel(timeFailure(timeMs)), timeMs);
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
    over.abort(new RunEnded("its run is over"));
    await port.close();
    const spent = await gate.close();
    if (!lettingGo) port.failUnlessSaid(past, { hasDied: answer.kind === "died" });
    if (port.thrown) return { ...endedBy(port.thrown.cause, port), spent, ...usedModel(model) };
    equipment.hub.closeOrphans(run.runId, answer.kind === "died" ? answer.failure.message : "its run ended without it");
    const hasThreadDied = answer.kind === "died";
    const approved = job.questions.editsOf(run.runId);
    const said = hasThreadDied ? deadReport(answer.failure) : answer.report;
    const report = { ...said, usage: spent.usage };
    return { report, spent, ...usedModel(model), denials: port.denials, hasThreadDied, approved };
  } finally {
    clearTimeout(lettingGo);
    clearTimeout(time);
    await gate.close();
    idle.stop();
    watch.end(port);
    ends.removeEventListener("abort", stop);
  }
}

interface Before {
  past?: PastLog;
  before?: SpentBefore;
}

const nothingBefore: Before = {};

/** What a run that goes on has said, heard and used. */
function recall({ runId, events }: PastRun, taskId: string, { job, equipment }: Surroundings): Before {
  const heard = events.filter((event) => event.type === "run.notified" && event.data.kind === "steer");
  job.notices.heardBefore(runId, taskId, heard.length);
  return { past: new PastLog(events, equipment.redact), before: spentBefore(events, equipment.models) };
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

interface PortSurroundings extends Surroundings {
  progressed(): void;
  /** The idle limit does not run meanwhile: somebody else's time passes. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  gate: Gate;
  /** What the run's log says already. */
  past?: PastLog | undefined;
}

function openPort(run: ClaimedRun, order: StepOrder, around: PortSurroundings): HostPort {
  const { workspace, job, equipment, signal, past } = around;
  const { judgePlan, parent = job.span } = order;
  const owner = { jobId: job.id, runId: run.runId, traceId: job.span.traceId, parentSpanId: parent.spanId };
  const allowance = openAllowance({ facts: mostFacts, bytes: mostKeptBytes });
  const desk = openDesk({ job, equipment, tree: order.tree, root: workspace.root, signal, allowance });
  const runAgent = (started: ClaimedRun, wanted: StepOrder) =>
    runInThread(started, wanted, { workspace, bundle: undefined, job, equipment, until: signal });
  const place = { run, order, workspace, job, equipment, signal, runAgent };
  const call = async (allowed: AllowedCall) => {
    const live = () => runOutsideCall(allowed, place);
    const told = await (past ? answerCall(allowed, { past, place, live }) : live());
    if (told.artifact !== undefined) desk.own(told.artifact);
    return told;
  };
  const asking = { run, taskId: order.task.id, job, equipment, signal };
  const told = withNotices(around.gate, { run, taskId: order.task.id, job });
  const port: HostPort = new HostPort({
    scope: order.scope,
    root: workspace.root,
    isCaseInsensitive: job.repository.isCaseInsensitive,
    behind: async (path) => asSeen(await workspace.fetch(path, mostLinkBytes)),
    append: async (facts, spanId) => {
      workspace.wrote(facts.flatMap(writtenIn));
      const fresh = past ? past.append(facts) : facts;
      allowance.facts(fresh.length);
      if (!past || fresh.length > 0) await job.logRun(run, fresh, spanId);
    },
    ask: (question) => around.during(() => (past ? askAgain(question, past, asking) : askApproval(question, asking))),
    ...(past ? { recorded: (callId) => past.recorded(callId) } : {}),
    call: (allowed) => around.during(() => call(allowed)),
    fetch: (path, want) => (want === "read" ? workspace.fetch(path, mostFetchedBytes) : workspace.materialise(path)),
    names: (prefix) => workspace.names(prefix, mostNames),
    // A search waits for a thread that looks, maybe behind others.
    desk: { own: desk.own, answer: (question) => around.during(() => desk.answer(question)) },
    gate: past ? pastGate(told, past) : told,
    span: (message) => equipment.hub.acceptFromThread(message, owner),
    progressed: around.progressed,
    isToRest: () => job.pausing.isAsked,
    rest: () => around.during(() => job.pausing.point()),
    now: () => equipment.clock.now(),
    ...(judgePlan ? { judgePlan: (planned) => judgePlan(planned, (failure) => port.cancel(failure)) } : {}),
  });
  return port;
}

/** Deletions leave nothing. */
function writtenIn(fact: Fact): string[] {
  const changed = fact.type === "tool.finished" ? (fact.data.changed ?? []) : [];
  return changed.flatMap(({ path, blob }) => (blob === null ? [] : [path]));
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
