import { plannerId } from "../../split/task-ids.ts";
import type { Job } from "../job.ts";
import type { PastRun } from "../resume/history.ts";
import { type StepBefore, stepBefore } from "../resume/step-before.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { decidePlan } from "./decide-plan.ts";

/**
 * What came of a job's planner before this process had the job. `judgePlan` is told again what one that was through had
 * handed in: its log holds the plan, and no decision that counts.
 */
export async function plannerBefore(job: Job, judgePlan: NonNullable<StepOrder["judgePlan"]>): Promise<StepBefore> {
  const step = { task: plannerId, ordinal: 0, tree: job.spec.base.tree };
  const before = await stepBefore(step, job, { isSpread: false });
  const past = before.done && job.history?.runOf(plannerId, 0);
  for (const call of past ? callsIn(past) : []) await decidePlan(call, (handedIn) => judgePlan(handedIn, () => {}));
  return before;
}

function callsIn({ events }: PastRun) {
  const answers = events.flatMap((event) => (event.type === "turn.finished" ? [event.data] : []));
  const heard = answers.filter(({ stop }) => stop !== "refusal");
  return heard.flatMap(({ answer }) => answer.filter((block) => block.type === "tool_use"));
}
