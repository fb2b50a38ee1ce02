import { addSpent, nothingSpent, type Spent } from "../budget/job-budget.ts";
import type { Event } from "../protocol/event.ts";
import { noUsage } from "../protocol/message.ts";
import type { ResultUsage } from "../protocol/result.ts";

/** What was used, as a result says it. */
export function resultUsage({ usage, costNanoUsd, isCostKnown }: Spent): ResultUsage {
  return { ...usage, cost_usd: costNanoUsd / 1e9, cost_known: isCostKnown };
}

/**
 * What the log of a job says it used: answers as they were counted, and calls that nobody answered in full, as assumed.
 * What those cost nobody can say from the log.
 */
export function spentIn(events: readonly Event[]): Spent {
  const open = new Map<string, { input_tokens: number; max_tokens: number }>();
  let spent = nothingSpent;
  const assume = (runId: string) => {
    const ask = open.get(runId);
    open.delete(runId);
    if (!ask) return;
    const usage = { ...noUsage, input_tokens: ask.input_tokens, output_tokens: ask.max_tokens, is_assumed: true };
    spent = addSpent(spent, usage, null);
  };
  for (const event of events) {
    if (event.type === "turn.started" && event.data.ask) open.set(event.run_id, event.data.ask);
    if (event.type === "turn.retried") {
      if (event.data.is_billed) assume(event.run_id);
      open.set(event.run_id, event.data.ask);
    }
    if (event.type !== "turn.finished") continue;
    open.delete(event.run_id);
    spent = addSpent(
      spent,
      event.data.usage,
      event.data.cost_nano_usd ?? (event.data.cost_nano_usd === null ? null : 0),
    );
  }
  for (const runId of [...open.keys()]) assume(runId);
  return spent;
}
