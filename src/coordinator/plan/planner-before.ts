import { plannerId } from "../../split/task-ids.ts";
import type { Job } from "../job.ts";
import type { PastRun } from "../resume/history.ts";
import { restoreRun } from "../resume/run-record.ts";
import type { FinishedRun, StepOrder } from "../tasks/step-order.ts";
import { decidePlan } from "./decide-plan.ts";

/** Deaths of a planner that was alone in its thread, before it is given up. */
export const mostLonelyDeaths = 2;

/** What came of a job's planner before this process had the job. */
export interface PlannerBefore {
  /** It was through, and its process ended before the plan was in the job's log. */
  done?: FinishedRun;
  /** A run that this one goes on with. */
  open?: PastRun;
  /** Runs that came to nothing. */
  attempts: number;
  lonelyDeaths: number;
}

/** `judgePlan` is told again what a planner that was through had handed in: its log holds the plan, and no decision that counts. */
export async function plannerBefore(
  { history, repository }: Job,
  judgePlan: NonNullable<StepOrder["judgePlan"]>,
): Promise<PlannerBefore> {
  const past = history?.runOf(plannerId, 0);
  const lonelyDeaths = history?.lonelyDeaths(plannerId, 0) ?? 0;
  if (!past) return { attempts: 0, lonelyDeaths };
  if (past.claimed) return { open: past, attempts: past.attempt - 1, lonelyDeaths };
  const done = await restoreRun(past, repository);
  if (!done || (done.hasThreadDied && lonelyDeaths < mostLonelyDeaths)) return { attempts: past.attempt, lonelyDeaths };
  for (const call of callsIn(past)) await decidePlan(call, (handedIn) => judgePlan(handedIn, () => {}));
  return { done, attempts: past.attempt, lonelyDeaths };
}

function callsIn({ events }: PastRun) {
  const answers = events.flatMap((event) => (event.type === "turn.finished" ? [event.data] : []));
  const heard = answers.filter(({ stop }) => stop !== "refusal");
  return heard.flatMap(({ answer }) => answer.filter((block) => block.type === "tool_use"));
}
