import type { ClaimedRun } from "../../db/claim-run.ts";
import type { StoredApproval } from "../../db/find-approval.ts";
import { settleApproval } from "../../db/settle-approval.ts";
import { resumeRun, storeApproval } from "../../db/store-approval.ts";
import type { Fact } from "../../protocol/event.ts";
import { Fault } from "../../protocol/failure.ts";
import { randomUuid, type TaskId } from "../../protocol/ids.ts";
import type { Decision } from "../../protocol/scope.ts";
import { attribute, queueSpan } from "../../telemetry/semconv.ts";
import type { Equipment } from "../equipment.ts";
import { type Job, JobStopped } from "../job.ts";
import { decisionOf, recalled, resolvedFact, unasked } from "./approval-decision.ts";
import type { Asked } from "./questions.ts";

/**
 * Puts a call that a rule asks about before people, and waits. It never widens anything: it is asked only about what
 * nothing denies, and whatever goes wrong on the way is no permission. An answer is for this very input, under this
 * rule, until the question expires.
 */
export interface Question {
  callId: string;
  tool: string;
  /** What people are shown: the command, or the path. */
  input: string;
  /** Of the call's exact input as canonical JSON. */
  inputSha256: string;
  /** Why it is a question; its effect is `ask`. */
  decision: Decision;
  /** The rule that alone would have allowed this very call, where there is one. */
  suggestion?: string | undefined;
  /** Paths that an allowance lets the run write: where they really lead. */
  edits?: readonly string[] | undefined;
  /** The span that the wait hangs from; the job's own where nothing is said. */
  spanId?: string | undefined;
}

export interface Asking {
  run: ClaimedRun;
  taskId: TaskId;
  job: Job;
  equipment: Equipment;
  /** Aborted when the run is gone, and with it whoever would act on an answer. */
  signal?: AbortSignal | undefined;
}

export interface Answered {
  /** Allow or deny. */
  decision: Decision;
  /** For the run's log, before what the decision leads to. */
  facts: Fact[];
}

/** A question that was put before, by a process that is gone; `approval` as it is stored now. */
export interface Stored {
  approval: StoredApproval;
  /** It is in the run's log. */
  isLogged: boolean;
}

/**
 * Stores the question and logs it, then waits for an answer, its expiry, or the end of the job or the run; without its
 * place among the tasks at work meanwhile. Throws Fault where the store does.
 */
export async function askApproval(question: Question, around: Asking, stored?: Stored): Promise<Answered> {
  const { job, run } = around;
  const answered = await (stored ? waitFor(question, around, stored) : answer(question, around));
  if (answered.decision.effect === "allow") job.questions.allowEdits(run.runId, question.edits ?? []);
  return answered;
}

async function answer(question: Question, around: Asking): Promise<Answered> {
  const { job, equipment } = around;
  const known = job.questions.recall(askedOf(question));
  if (known) return { decision: recalled(known, question), facts: [] };
  const refusal = unasked(question, { spec: job.spec, redact: equipment.redact });
  if (refusal) return { decision: refusal, facts: [] };
  return waitFor(question, around);
}

async function waitFor(question: Question, around: Asking, stored?: Stored): Promise<Answered> {
  const { job } = around;
  const place = job.questions.placeOf(around.taskId);
  const wait = () => job.pausing.without(() => askAndWait(question, around, stored));
  const approval = await (place ? place.without(wait) : wait());
  await resumeRun(around.run, around.equipment.database);
  return { decision: decisionOf(approval, question), facts: [resolvedFact(approval)] };
}

export function askedOf({ tool, input, inputSha256, suggestion, decision: { rule } }: Question): Asked {
  return { tool, input, inputSha256, suggestion, rule };
}

async function askAndWait(question: Question, around: Asking, stored: Stored | undefined): Promise<StoredApproval> {
  const { job, taskId, equipment } = around;
  const id = stored?.approval.id ?? randomUuid(equipment.clock);
  const answer = Promise.withResolvers<StoredApproval>();
  const attributes = { [attribute.taskId]: taskId, [attribute.waitReason]: "approval" };
  const { spanId = "" } = question;
  const parent = /^[0-9a-f]{16}$/.test(spanId) ? { ...job.span, spanId } : job.span;
  const span = job.tracer.start(queueSpan(taskId), { parent, attributes });
  // Before it is stored: an answer to another question may settle this one as well.
  job.questions.open(id, askedOf(question), answer.resolve);
  try {
    const expiresAt = await put(id, question, around, stored);
    if (stored && stored.approval.state !== "pending") answer.resolve(stored.approval);
    using _ends = watchEnds(id, { expiresAt, answer }, around);
    // An answer that came while it was being stored holds for it too.
    const known = job.questions.recall(askedOf(question));
    if (known) await settleLike(known, [id], around);
    const approval = await answer.promise;
    span.end(approval.state === "allowed" ? {} : { status: "error", message: approval.state });
    job.questions.forget(id);
    if (approval.remember) {
      const alike = job.questions.remember(askedOf(question), approval);
      await settleLike(approval, alike, around);
    }
    return approval;
  } finally {
    job.questions.forget(id);
    span.end({ status: "error", message: "the question could not be put" });
  }
}

/** The row first: whoever hears of the question can answer it. */
async function put(id: string, question: Question, around: Asking, stored: Stored | undefined): Promise<number> {
  const { run, taskId, job, equipment } = around;
  const { clock, database, ceiling, redact } = equipment;
  const { callId, tool, input, inputSha256, suggestion } = question;
  const { source } = question.decision;
  const expiresAt = stored?.approval.expiresAt.getTime() ?? clock.now() + ceiling.approvalMs;
  // What is to be allowed holds no secret, or nobody would be asked; the words of rules may.
  const [rule, reason] = [redact(question.decision.rule), redact(question.decision.reason)];
  const said = { tool, input, rule, source, reason };
  const row = { id, taskId, callId, ...said, inputSha: inputSha256, suggestion: suggestion ?? null, expiresAt };
  await storeApproval(row, { run, clock, database });
  if (stored?.isLogged) return expiresAt;
  const data = {
    approval_id: id,
    call_id: callId,
    ...said,
    input_sha256: inputSha256,
    ...(suggestion === undefined ? {} : { suggestion }),
    expires_at: new Date(expiresAt).toISOString(),
  };
  await job.logRun(run, [{ type: "approval.requested", data }], question.spanId);
  return expiresAt;
}

/** Longest time of one timer. */
const longestMs = 2 ** 31 - 1;

/** Settles the question when nobody did in time, or when nobody would act on an answer. */
function watchEnds(
  id: string,
  { expiresAt, answer }: { expiresAt: number; answer: PromiseWithResolvers<StoredApproval> },
  { run, job, equipment, signal }: Asking,
): Disposable {
  const { clock, database } = equipment;
  const settle = (state: "expired" | "withdrawn") => {
    // Somebody's answer may have been first, and then that one counts.
    settleApproval(id, { state, by: run }, clock, database).then((settled) => {
      if (settled?.approval.state === "pending") answer.reject(takenOver(run));
      else if (settled) answer.resolve(settled.approval);
      else answer.reject(new Fault("conflict", `approval ${id} is not stored any more`));
    }, answer.reject);
  };
  let timer: NodeJS.Timeout;
  const rearm = () => {
    const leftMs = expiresAt - clock.now();
    timer = setTimeout(() => (leftMs > longestMs ? rearm() : settle("expired")), Math.min(leftMs, longestMs));
  };
  rearm();
  const ends = AbortSignal.any([job.signal, job.questions.signal, ...(signal ? [signal] : [])]);
  // A job that is let go of is gone on with: its question stays open.
  const withdraw = () => (isLetGo(job.signal) ? answer.reject(job.signal.reason) : settle("withdrawn"));
  if (ends.aborted) withdraw();
  else ends.addEventListener("abort", withdraw, { once: true });
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      ends.removeEventListener("abort", withdraw);
    },
  };
}

/** The question is its new owner's. */
function takenOver({ runId }: ClaimedRun): Fault {
  return new Fault("fenced", `run ${runId} has a new owner`, { remedy: "whoever has it waits for the answer" });
}

function isLetGo({ reason }: AbortSignal): boolean {
  return reason instanceof JobStopped && reason.failure.code === "handed_back";
}

/** Others that wait for the same permission need not be asked one by one. */
async function settleLike(
  { state, decidedBy, note }: StoredApproval,
  ids: readonly string[],
  { job, equipment: { clock, database } }: Asking,
): Promise<void> {
  if (state !== "allowed" && state !== "denied") return;
  const answer = { state, remember: false, decidedBy: decidedBy ?? "somebody", note: note ?? undefined };
  for (const id of ids) {
    const settled = await settleApproval(id, answer, clock, database);
    if (settled) job.questions.tell(settled.approval);
  }
}
