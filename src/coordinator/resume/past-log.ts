import { isDeepStrictEqual } from "node:util";
import type { Event, Fact } from "../../protocol/event.ts";
import type { Redactor } from "../../telemetry/redact.ts";
import { redactRecord } from "../result/redact-record.ts";
import type { Recorded } from "./narrow.ts";
import { Parted } from "./parted.ts";
import { isCallFact, PastCalls, type PastResult } from "./past-calls.ts";

/**
 * The log of a run that goes on, as it is said once more: what it holds already is not appended again, and what is new
 * is only new once all of the log has been said. It never goes on from another story than the log tells.
 */
export class PastLog {
  readonly #calls: PastCalls;
  readonly #others = new Map<string, Fact[]>();
  readonly #notices: ReadonlyMap<string, readonly string[]>;
  readonly #known = new WeakSet<Fact>();
  readonly #redact: Redactor;
  readonly #questions = new Set<string>();
  /** Calls that were let go and that nobody told the end of. */
  readonly #underWay = new Set<string>();
  #isLive = false;

  constructor(events: readonly Event[], redact: Redactor) {
    this.#redact = redact;
    this.#calls = new PastCalls(events);
    this.#notices = noticesIn(events);
    for (const event of events) {
      if (event.type === "approval.requested") this.#questions.add(event.data.approval_id);
      if (event.type === "tool.intended") this.#underWay.add(event.data.call_id);
      if (event.type === "tool.finished") this.#underWay.delete(event.data.call_id);
      const key = keyOf(event);
      if (key !== undefined) this.#others.set(key, [...(this.#others.get(key) ?? []), event]);
    }
  }

  /** Something was said that the log does not hold. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Those that are new. Throws `Parted`. */
  append(facts: readonly Fact[]): Fact[] {
    const fresh: Fact[] = [];
    for (const fact of facts) {
      if (this.#take(fact)) this.#known.add(fact);
      else fresh.push(fact);
    }
    const [first] = fresh;
    if (first) this.goLive(first.type);
    return fresh;
  }

  /** From here on all is new. Throws `Parted` where the log goes on otherwise. */
  goLive(what: string): void {
    if (this.#isLive) return;
    const left = this.left;
    if (left !== undefined) throw new Parted(`where it says ${what} now, the log goes on with ${left}`);
    this.#isLive = true;
  }

  /** What the log holds and nobody has said again. */
  get left(): string | undefined {
    const call = this.#calls.next;
    if (call) return `${call.type} of ${call.data.tool} (call ${call.data.call_id})`;
    for (const [first] of this.#others.values()) if (first) return first.type;
    return undefined;
  }

  /** It was said with `append`, and the log held it. */
  holds(fact: Fact): boolean {
    return this.#known.has(fact);
  }

  /** What was said to the agent when the intent was acknowledged. */
  noticesOf(intent: Fact): readonly string[] {
    return this.#notices.get(keyOf(intent) ?? "") ?? [];
  }

  recorded(callId: string): Recorded | undefined {
    return this.#calls.recorded(callId);
  }

  /** By the log itself it may have been begun, whatever was said anew since. */
  mayHaveBegun(callId: string): boolean {
    return this.#underWay.has(callId);
  }

  result(callId: string): PastResult | undefined {
    return this.#calls.result(callId);
  }

  /** Takes the question about a call, and how it ended. */
  question(callId: string): { id: string; isOver: boolean } | undefined {
    const asked = this.#shift(`approval.requested ${callId}`);
    if (asked?.type !== "approval.requested") return undefined;
    return { id: asked.data.approval_id, isOver: this.#shift(`approval.resolved ${callId}`) !== undefined };
  }

  /** The question is in the log. */
  hasAsked(approvalId: string): boolean {
    return this.#questions.has(approvalId);
  }

  #take(fact: Fact): boolean {
    if (this.#isLive) return false;
    if (isCallFact(fact)) return this.#calls.take(fact);
    const said = redactRecord(fact, this.#redact);
    const key = keyOf(said);
    const first = key === undefined ? undefined : this.#shift(key);
    if (first) compareOpenings(said, first);
    return first !== undefined;
  }

  #shift(key: string): Fact | undefined {
    const [first, ...rest] = this.#others.get(key) ?? [];
    if (rest.length > 0) this.#others.set(key, rest);
    else this.#others.delete(key);
    return first;
  }
}

/** undefined: nobody says it again. Notices from outside come back with the intent that they were told with. */
function keyOf(fact: Fact): string | undefined {
  switch (fact.type) {
    case "turn.started":
    case "turn.finished":
      return `${fact.type} ${fact.data.turn}`;
    case "turn.retried":
      return `${fact.type} ${fact.data.turn} ${fact.data.attempt}`;
    case "run.notified":
      return isOutside(fact) ? undefined : `${fact.type} ${fact.data.kind} ${fact.data.text}`;
    case "approval.requested":
    case "approval.resolved":
      return `${fact.type} ${fact.data.call_id}`;
    default:
      return undefined;
  }
}

type Notified = Extract<Fact, { type: "run.notified" }>;

function isOutside({ data }: Notified): boolean {
  return data.kind === "steer" || data.kind === "budget";
}

function noticesIn(events: readonly Event[]): Map<string, string[]> {
  const notices = new Map<string, string[]>();
  let intent: string | undefined;
  for (const event of events) {
    if (event.type === "turn.started" || event.type === "turn.retried") intent = keyOf(event);
    else if (event.type === "run.notified" && isOutside(event) && intent !== undefined) {
      notices.set(intent, [...(notices.get(intent) ?? []), event.data.text]);
    }
  }
  return notices;
}

/** Every request of the run begins with it. */
function compareOpenings(now: Fact, before: Fact): void {
  if (now.type !== "turn.started" || before.type !== "turn.started") return;
  if (before.data.opening === undefined || isDeepStrictEqual(now.data.opening, before.data.opening)) return;
  throw new Parted("what stands in front of its conversation is no longer the same");
}
