import { addUsage, noUsage, type Usage } from "../protocol/message.ts";
import type { JobPlan } from "../protocol/plan.ts";
import type { RunReport } from "../protocol/thread.ts";

/** What came of planning so far: told as it goes, since planning may fail and has cost something all the same. */
export interface Planning {
  shown?: JobPlan;
  /** Of the planner's runs. */
  reports: RunReport[];
}

/** What the planner's runs took together; part of what the job took. */
export function planningUsage({ reports }: Pick<Planning, "reports">): Usage {
  return reports.reduce((sum, report) => addUsage(sum, report.usage), noUsage);
}

/** The plan as the result of its job shows it. */
export function planShown({ shown, reports }: Planning): JobPlan | undefined {
  if (!shown || reports.length === 0) return shown;
  const turns = reports.reduce((sum, report) => sum + report.turns, 0);
  return { ...shown, usage: { turns, tokens: planningUsage({ reports }), cost_nano_usd: null } };
}
