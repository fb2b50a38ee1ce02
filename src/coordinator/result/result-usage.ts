import { addSpent, nothingSpent, type Spent } from "../../budget/job-budget.ts";
import type { Event } from "../../protocol/event.ts";
import { noUsage, type Usage } from "../../protocol/message.ts";
import type { ResultUsage } from "../../protocol/result.ts";
import type { ModelAsk } from "../../protocol/run-fact.ts";

/** What was used, as a result says it. */
export function resultUsage({ usage, costNanoUsd, isCostKnown }: Spent): ResultUsage {
  return { ...usage, cost_usd: costNanoUsd / 1e9, cost_known: isCostKnown };
}

/** The most that a call of a model may have cost, in nano-USD; null where nobody knows. */
export type WorstCost = (ask: ModelAsk, model: string) => number | null;

/**
 * What the log of a job says it used: answers as they were counted, and calls that nobody answered in full, as assumed,
 * unless the log says that they still waited. What those cost is not in the log: `worst` says it.
 */
export function spentIn(events: readonly Event[], worst: WorstCost = () => null): Spent {
  const open = new Map<string, Asked>();
  const assumed: Asked[] = [];
  let spent = nothingSpent;
  for (const event of events) {
    const before = open.get(event.run_id);
    if (event.type === "turn.finished") {
      const { usage, cost_nano_usd: cost = 0 } = event.data;
      spent = addSpent(spent, usage, cost);
      open.delete(event.run_id);
    }
    if (event.type === "turn.failed") open.delete(event.run_id);
    if (before && isOver(event) && event.data.is_billed && !before.isWaiting) assumed.push(before);
    const asked = askedIn(event, before);
    if (asked) open.set(event.run_id, asked);
  }
  const gone = [...open.values()].filter(({ isWaiting }) => !isWaiting);
  return [...assumed, ...gone].reduce(
    (sum, { ask, model = "" }) => addSpent(sum, assumedUsage(ask), worst(ask, model)),
    spent,
  );
}

interface Asked {
  ask: ModelAsk;
  model: string | undefined;
  /** It has not gone out. */
  isWaiting: boolean;
}

function isOver(event: Event): event is Extract<Event, { type: "turn.retried" | "turn.failed" }> {
  return event.type === "turn.retried" || event.type === "turn.failed";
}

/** What is asked from here on; undefined where the event changes nothing of it. */
function askedIn(event: Event, before: Asked | undefined): Asked | undefined {
  const ask = askIn(event);
  if (ask) return { ask, model: modelIn(event) ?? before?.model, isWaiting: false };
  if (!before || (event.type !== "turn.waiting" && event.type !== "turn.sent")) return undefined;
  return { ...before, isWaiting: event.type === "turn.waiting" };
}

function modelIn(event: Event): string | undefined {
  return event.type === "turn.started" ? event.data.model : undefined;
}

function askIn(event: Event): ModelAsk | undefined {
  return event.type === "turn.started" || event.type === "turn.retried" ? event.data.ask : undefined;
}

/** All that a call could have taken. */
export function assumedUsage({ input_tokens, max_tokens }: ModelAsk): Usage {
  return { ...noUsage, input_tokens, output_tokens: max_tokens, is_assumed: true };
}
