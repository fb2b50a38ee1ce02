import type { Spent } from "../../budget/job-budget.ts";
import type { JobPlan } from "../../protocol/plan.ts";
import type { RunReport } from "../../protocol/thread.ts";

/** What came of planning so far: told as it goes, since a job may fail later and is shown its plan all the same. */
export interface Planning {
  shown?: JobPlan;
  /** Of the planner's runs. */
  reports: RunReport[];
}

/** What the planner's runs took, which the job's own sum holds too. Nothing where nobody planned. */
export function planningUsage({ reports }: Planning, spent: Spent): Pick<JobPlan, "usage"> {
  if (reports.length === 0) return {};
  const turns = reports.reduce((sum, report) => sum + report.turns, 0);
  const cost_nano_usd = spent.isCostKnown ? spent.costNanoUsd : null;
  return { usage: { turns, tokens: spent.usage, cost_nano_usd } };
}
