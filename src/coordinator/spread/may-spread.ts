import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { StepOrder } from "../tasks/step-order.ts";

/**
 * Whether a run may be any node's: that of an agent which asks a model, in a job where nothing is shared by its runs that
 * only one process can keep. Budgets of a job are exact because one process keeps them; a setup, servers of tools and
 * started agents belong to the process that began them.
 */
export function maySpread({ step, judgePlan }: StepOrder, { spec }: Job, { spending, models }: Equipment): boolean {
  if (step.agent.model.provider !== "messages" || judgePlan) return false;
  const found = models.of(step.agent.model);
  const hasPrice = found !== undefined && (!("card" in found) || found.card.price !== undefined);
  const { limits } = spec;
  const all: readonly (Limited | undefined)[] = [limits, limits.task, spending.jobLimit];
  const isBound = spec.setup !== undefined || (spec.servers?.length ?? 0) > 0 || startsAgents(spec);
  return !isBound && spending.day === undefined && !all.some((limit) => holds(limit, hasPrice));
}

interface Limited {
  nano_usd?: number | undefined;
  nanoUsd?: number | undefined;
  tokens?: number | undefined;
}

/** Money holds nobody back whose calls have no price. */
function holds(limit: Limited | undefined, hasPrice: boolean): boolean {
  return limit?.tokens !== undefined || (hasPrice && (limit?.nano_usd ?? limit?.nanoUsd) !== undefined);
}

function startsAgents({ agents = [], limits }: Job["spec"]): boolean {
  return agents.length > 0 && (limits.depth ?? 1) > 1;
}
