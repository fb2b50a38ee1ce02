import type { PastRun } from "../resume/history.ts";
import type { FinishedRun, StepOrder } from "./step-order.ts";

/** Deaths of a run while it was alone in its thread, before it is given up as poison. */
export const mostLonelyDeaths = 2;

/**
 * Runs a step for an agent until one of its runs comes to an end of its own. A thread that dies costs it an attempt: among
 * others first, then alone; one whose log it could go on from was alone in its first attempt already. A log that it cannot go on from costs it none but that run.
 */
export async function runUntilItLives(
  wanted: Omit<StepOrder, "attempt" | "isAlone" | "past">,
  before: { open?: PastRun; attempts: number; lonelyDeaths: number },
  { run, signal }: { run(order: StepOrder): Promise<FinishedRun>; signal: AbortSignal },
): Promise<{ run: FinishedRun; attempts: number }> {
  let { lonelyDeaths } = before;
  for (let attempt = before.attempts + 1, past = before.open; ; attempt++, past = undefined) {
    const isAlone = attempt > 1;
    const ended = await run({ ...wanted, attempt, isAlone, ...(past ? { past } : {}) });
    if (ended.hasThreadDied && (isAlone || ended.hasDiedAlone)) lonelyDeaths += 1;
    const isOver = ended.hasThreadDied ? lonelyDeaths >= mostLonelyDeaths : !ended.hasParted;
    if (isOver || signal.aborted) return { run: ended, attempts: attempt };
  }
}
