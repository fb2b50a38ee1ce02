import { UnfitFact } from "../db/fact-rows.ts";
import type { Fact, FactData, ThreadFact } from "../protocol/event.ts";
import type { AnswerBlock, ToolUse } from "../protocol/message.ts";
import type { Denial } from "../protocol/result.ts";
import type { Decision } from "../protocol/scope.ts";
import { toolNamed } from "../tools/catalog.ts";
import { submit } from "../tools/submit.ts";
import type { Answered, Question } from "./approvals/ask-approval.ts";
import { questionOf, withWantedRule } from "./approvals/question-of.ts";
import type { CallBook } from "./calls/call-book.ts";
import { type CallView, type DecidedCall, decideCall } from "./calls/decide-call.ts";
import { narrow, type Recorded } from "./resume/narrow.ts";

/**
 * The coordinator's choke point: every tool call with an effect is decided here, outside the model and outside its
 * thread, and the answer is in the log before the thread hears it. Where a call is a question, what led to it is in the
 * log first, and the calls after it wait for its answer.
 */
export interface AcknowledgeView extends CallView {
  book: CallBook;
  append(facts: readonly Fact[], spanId: string | undefined): Promise<void>;
  ask(question: Question): Promise<Answered>;
  /** Of a run that goes on: what its log says was decided of a call. */
  recorded?(callId: string): Recorded | undefined;
}

export interface Acknowledgement {
  /** By call id; of calls that only read, those that somebody was asked about: the thread decides the others. */
  decisions: Record<string, Decision>;
  denials: Omit<Denial, "task">[];
}

interface Log {
  facts: Fact[];
  spanId: string | undefined;
}

/** All that was reported is in the log when it resolves. */
export async function acknowledge(
  reported: readonly ThreadFact[],
  spanId: string | undefined,
  view: AcknowledgeView,
): Promise<Acknowledgement> {
  const acknowledged: Acknowledgement = { decisions: Object.create(null), denials: [] };
  const log: Log = { facts: [], spanId };
  const repeated = repeatedIds(reported);
  for (const fact of reported) {
    refuseEvidence(fact, view.book);
    log.facts.push(fact);
    if (fact.type === "tool.denied") acknowledged.denials.push(denialOf(fact.data));
    if (fact.type === "turn.finished") await decideAnswer(fact.data, log, { view, acknowledged, repeated });
  }
  await view.append(log.facts, spanId);
  return acknowledged;
}

/** What came of such a call is known by whoever ran it; a thread can tell only that an input was none. */
function refuseEvidence(fact: ThreadFact, book: CallBook): void {
  if (fact.type !== "tool.finished" && fact.type !== "tool.denied") return;
  const isOutside = toolNamed(fact.data.tool)?.effect === "outside";
  const isResult = isOutside && fact.type === "tool.finished" && !fact.data.is_error;
  if (!isResult && !book.has(fact.data.call_id)) return;
  throw new UnfitFact(`a thread reported on the call ${fact.data.call_id}, which the coordinator runs`);
}

interface Deciding {
  view: AcknowledgeView;
  acknowledged: Acknowledgement;
  repeated: ReadonlySet<string>;
}

/** Decisions are told by call id, so one that names two calls can stand for neither. */
function repeatedIds(reported: readonly ThreadFact[]): Set<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { id } of reported.flatMap(callsIn)) (seen.has(id) ? repeated : seen).add(id);
  return repeated;
}

function callsIn(fact: ThreadFact): ToolUse[] {
  return fact.type === "turn.finished" ? usesIn(fact.data.answer) : [];
}

function usesIn(answer: readonly AnswerBlock[]): ToolUse[] {
  return answer.flatMap((block) => (block.type === "tool_use" ? [block] : []));
}

/** What will not run is not decided, and nobody is asked about it: calls of a refusal, and those behind a submit. */
async function decideAnswer({ answer, stop }: FactData<"turn.finished">, log: Log, deciding: Deciding): Promise<void> {
  const before: DecidedCall[] = [];
  const calls = stop === "refusal" ? [] : usesIn(answer);
  const submitted = calls.findIndex((call) => isSubmit(call, deciding.view));
  for (const call of submitted < 0 ? calls : calls.slice(0, submitted + 1)) {
    const isAmbiguous = deciding.repeated.has(call.id);
    const decided = await decideCall(call, { isAmbiguous, view: deciding.view });
    if (!decided) continue;
    const decision = await settle(call, decided, { log, before, view: deciding.view });
    if (!decision) continue;
    before.push({ ...decided, decision });
    record(call, { ...decided, decision }, { log, ...deciding });
  }
}

function isSubmit({ name, input, malformed }: ToolUse, { scope }: AcknowledgeView): boolean {
  if (name !== submit.name || malformed !== undefined || !scope.tools.includes(name)) return false;
  return !("problem" in submit.open(input));
}

interface Settling {
  log: Log;
  /** Calls of the same answer. */
  before: readonly DecidedCall[];
  view: AcknowledgeView;
}

/** Undefined for a read that nobody need be asked about. */
async function settle(
  call: ToolUse,
  decided: DecidedCall,
  { log, before, view }: Settling,
): Promise<Decision | undefined> {
  const { decision } = decided;
  if (decision.effect !== "ask") {
    const held = narrow(decision, view.recorded?.(call.id));
    if (held !== decision) return held;
    return decided.isRead ? undefined : withWantedRule(decided, view);
  }
  if (decided.outside === undefined && before.some(mayChangeFiles)) {
    return { ...decision, effect: "deny", reason: `${decision.reason}; ${afterCommand}` };
  }
  await view.append(log.facts.splice(0), log.spanId);
  const answered = await view.ask(questionOf(call, decided, log.spanId));
  log.facts.push(...answered.facts);
  return answered.decision.effect === "allow" ? answered.decision : { ...answered.decision, effect: "deny" };
}

function mayChangeFiles({ outside, decision }: DecidedCall): boolean {
  return outside !== undefined && outside.kind !== "server" && decision.effect === "allow";
}

const afterCommand =
  "nobody is asked about it while a command or an agent of the same answer has yet to run and may change what is there: ask for it again in the next turn";

function record(call: ToolUse, decided: DecidedCall, { log, view, acknowledged }: Deciding & { log: Log }): void {
  const { decision, subject, outside } = decided;
  acknowledged.decisions[call.id] = decision;
  const { rule, source, reason } = decision;
  if (decision.effect === "allow") {
    log.facts.push({ type: "tool.intended", data: { call_id: call.id, tool: call.name, rule } });
    if (outside) view.book.allow({ ...outside, callId: call.id, tool: call.name, decision, spanId: log.spanId });
    return;
  }
  const denied = { call_id: call.id, tool: call.name, input: subject, rule, source, reason };
  log.facts.push({ type: "tool.denied", data: denied });
  acknowledged.denials.push(denialOf(denied));
}

function denialOf(denied: Omit<Denial, "task">): Omit<Denial, "task"> {
  const { tool, input, rule, reason } = denied;
  return { tool, input, rule, reason };
}
