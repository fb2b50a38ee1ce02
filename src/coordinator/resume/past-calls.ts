import { isDeepStrictEqual } from "node:util";
import type { Event, Fact, FactData } from "../../protocol/event.ts";
import type { Recorded } from "./narrow.ts";
import { Parted } from "./parted.ts";

/** What a log says of the calls of a run, by their ids, each fact until somebody has said it again. */
export type CallFact = Extract<Fact, { type: "tool.intended" | "tool.denied" | "tool.finished" }>;

export interface PastResult {
  finished: FactData<"tool.finished">;
  /** What it changed and might not, beside its result. */
  denials: FactData<"tool.denied">[];
}

export function isCallFact(fact: Fact): fact is CallFact {
  return fact.type === "tool.intended" || fact.type === "tool.denied" || fact.type === "tool.finished";
}

export class PastCalls {
  readonly #facts = new Map<string, CallFact[]>();

  constructor(events: readonly Event[]) {
    for (const event of events) {
      if (!isCallFact(event)) continue;
      const id = event.data.call_id;
      const facts = this.#facts.get(id);
      if (facts) facts.push(event);
      else this.#facts.set(id, [event]);
    }
  }

  /** One of those that nobody has said again; undefined where there is none. */
  get next(): CallFact | undefined {
    for (const [first] of this.#facts.values()) if (first) return first;
    return undefined;
  }

  recorded(id: string): Recorded | undefined {
    const facts = this.#segment(id);
    const finished = facts.findIndex(({ type }) => type === "tool.finished");
    const denied = facts.find(({ type }) => type === "tool.denied");
    const isDenied = denied !== undefined && (finished < 0 || facts.indexOf(denied) < finished);
    if (isDenied && denied.type === "tool.denied") {
      const { rule, source, reason } = denied.data;
      return { effect: "deny", rule, source, reason };
    }
    const [first] = facts;
    if (first?.type !== "tool.intended") return undefined;
    return { effect: "allow", rule: first.data.rule, isDone: finished >= 0 };
  }

  /** Takes what came of a call that left its thread. */
  result(id: string): PastResult | undefined {
    const facts = this.#segment(id);
    const [finished] = facts;
    if (finished?.type !== "tool.finished") return undefined;
    this.#drop(id, facts.length);
    const denials = facts.flatMap((fact) => (fact.type === "tool.denied" ? [fact.data] : []));
    return { finished: finished.data, denials };
  }

  /** Takes what the log says in the same place. False where it says nothing there; throws `Parted` for something else. */
  take(fact: CallFact): boolean {
    const id = fact.data.call_id;
    const facts = this.#segment(id);
    const [first, second] = facts;
    if (!first) return false;
    if (fact.type === "tool.denied" && first.type === "tool.intended" && second?.type !== "tool.finished") {
      // It was allowed and never done; or its own thread turned it away.
      this.#drop(id, second ? 2 : 1);
      return second !== undefined;
    }
    if (first.type !== fact.type) throw new Parted(`${named(fact)} is ${first.type} there and ${fact.type} here`);
    if (fact.type === "tool.finished" && first.type === "tool.finished") compare(fact.data, first.data);
    this.#drop(id, 1);
    return true;
  }

  /** Up to where the same id stands for another call. */
  #segment(id: string): CallFact[] {
    const facts = this.#facts.get(id) ?? [];
    const next = facts.findIndex(({ type }, index) => index > 0 && type === "tool.intended");
    return next < 0 ? facts : facts.slice(0, next);
  }

  #drop(id: string, count: number): void {
    const facts = this.#facts.get(id)?.slice(count) ?? [];
    if (facts.length > 0) this.#facts.set(id, facts);
    else this.#facts.delete(id);
  }
}

/** Of a read what it showed is known by the hash of the file; its words are not compared. */
function compare(now: FactData<"tool.finished">, before: FactData<"tool.finished">): void {
  const essence = ({ is_error, changed = [], pointer }: FactData<"tool.finished">) => ({
    is_error,
    changed: changed.map(({ path, mode, blob }) => ({ path, mode, blob })),
    sha256: pointer?.sha256,
  });
  if (isDeepStrictEqual(essence(now), essence(before))) return;
  throw new Parted(`${before.tool} (call ${before.call_id}) came to something else than before`);
}

function named({ data }: CallFact): string {
  return `${data.tool} (call ${data.call_id})`;
}
