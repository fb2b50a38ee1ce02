import type { ClaimedRun } from "../db/claim-run.ts";
import { asSeen } from "../files/base-view.ts";
import type { Fact } from "../protocol/event.ts";
import { askApproval } from "./approvals/ask-approval.ts";
import { mostFacts, mostKeptBytes, openAllowance } from "./calls/allowance.ts";
import type { AllowedCall } from "./calls/call-book.ts";
import { openDesk } from "./calls/desk.ts";
import { runOutsideCall } from "./calls/run-outside-call.ts";
import type { CommandPlace } from "./calls/run-tool-command.ts";
import type { Gate } from "./gate/admission.ts";
import { withNotices } from "./gate/notices.ts";
import { HostPort } from "./port.ts";
import { answerCall } from "./resume/answer-call.ts";
import { askAgain } from "./resume/ask-again.ts";
import { pastGate } from "./resume/past-gate.ts";
import type { PastLog } from "./resume/past-log.ts";
import type { Surroundings } from "./run-in-thread.ts";
import type { StepOrder } from "./tasks/step-order.ts";

/**
 * What the port of one run is answered with: its workspace, its log, its questions, its calls and its gate. It decides
 * nothing of when the run ends.
 */
export interface PortSurroundings extends Surroundings {
  progressed(): void;
  /** The idle limit does not run meanwhile: somebody else's time passes. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  gate: Gate;
  /** What the run's log says already. */
  past?: PastLog | undefined;
  runAgent: CommandPlace["runAgent"];
}

/** Largest file a thread may ask for from outside its workspace, and most names in one listing. */
const mostFetchedBytes = 16 * 1024 * 1024;
const mostNames = 100_000;
/** PATH_MAX: what is larger is no link. */
const mostLinkBytes = 4_096;

export function openPort(run: ClaimedRun, order: StepOrder, around: PortSurroundings): HostPort {
  const { workspace, job, equipment, signal, past, runAgent } = around;
  const { judgePlan, parent = job.span } = order;
  const owner = { jobId: job.id, runId: run.runId, traceId: job.span.traceId, parentSpanId: parent.spanId };
  const allowance = openAllowance({ facts: mostFacts, bytes: mostKeptBytes });
  const desk = openDesk({ job, equipment, tree: order.tree, root: workspace.root, signal, allowance });
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
