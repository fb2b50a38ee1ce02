import type { StoredEvent } from "./store.ts";

/**
 * What a log says was used, counted apart from the product's own way of doing it: answers as they are, and every intent
 * that has none in full, unless it is known that nobody bills it.
 */
export function countUsage(log: readonly StoredEvent[]): { input: number; output: number; assumed: number } {
  const sum = { input: 0, output: 0, assumed: 0 };
  const calls: Calls = { open: new Map(), waiting: new Map() };
  for (const event of log.toSorted((a, b) => a.pos - b.pos)) {
    if (event.type === "turn.finished") {
      sum.input += event.data.usage.input_tokens;
      sum.output += event.data.usage.output_tokens;
    }
    for (const ask of follow(event, calls)) assume(sum, ask);
  }
  for (const ask of calls.open.values()) assume(sum, ask);
  return sum;
}

interface Ask {
  input_tokens: number;
  max_tokens: number;
}

/** By run. Nobody bills what waits for its turn to go. */
interface Calls {
  open: Map<string, Ask>;
  waiting: Map<string, Ask>;
}

function assume(sum: { input: number; output: number; assumed: number }, ask: Ask): void {
  sum.input += ask.input_tokens;
  sum.output += ask.max_tokens;
  sum.assumed += 1;
}

/** Returns the call that this event ends as one that may have been billed. */
function follow({ run, type, data }: StoredEvent, calls: Calls): Ask[] {
  followWait(type, run, calls);
  const ask = calls.open.get(run);
  const ends = type === "turn.finished" || type === "turn.failed" || type === "turn.retried";
  if (ends) calls.open.delete(run);
  if ((type === "turn.started" || type === "turn.retried") && data.ask) calls.open.set(run, data.ask);
  const isBilled = (type === "turn.failed" || type === "turn.retried") && data.is_billed;
  return ask && isBilled ? [ask] : [];
}

function followWait(type: string, run: string, { open, waiting }: Calls): void {
  if (type !== "turn.waiting" && type !== "turn.sent") return;
  const [from, to] = type === "turn.sent" ? [waiting, open] : [open, waiting];
  const ask = from.get(run);
  from.delete(run);
  if (ask) to.set(run, ask);
}
