import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { StepOrder } from "../tasks/step-order.ts";

/**
 * Whether a run may be any node's: that of an agent which asks a model, in a job where nothing is shared by its runs that
 * only one process can keep. Budgets of a job are exact because one process keeps them; a setup, servers of tools and
 * started agents belong to the process that began them.
 */
export function maySpread({ step, judgePlan }: StepOrder, { spec }: Job, { spending }: Equipment): boolean {
  if (step.agent.model.provider !== "messages" || judgePlan) return false;
  const { limits } = spec;
  const isLimited = isLimit(limits) || isLimit(limits.task) || isLimit(spending.jobLimit) || spending.day !== undefined;
  const isBound = spec.setup !== undefined || (spec.servers?.length ?? 0) > 0 || startsAgents(spec);
  return !isLimited && !isBound;
}

function isLimit(limit: { nano_usd?: unknown; nanoUsd?: unknown; tokens?: unknown } | undefined): boolean {
  return limit?.nano_usd !== undefined || limit?.nanoUsd !== undefined || limit?.tokens !== undefined;
}

function startsAgents({ agents = [], limits }: Job["spec"]): boolean {
  return agents.length > 0 && (limits.depth ?? 1) > 1;
}
