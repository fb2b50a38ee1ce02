import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { StepOrder } from "../tasks/step-order.ts";

/**
 * Whether a run may be any node's: that of an agent which asks a model, in a job where nothing is shared by its runs that
 * only one process can keep. A setup, servers of tools and started agents belong to the process that began them; what the
 * job may spend its owner says, call by call.
 */
export function maySpread({ step, judgePlan }: StepOrder, { spec }: Job): boolean {
  if (step.agent.model.provider !== "messages" || judgePlan) return false;
  return spec.setup === undefined && (spec.servers?.length ?? 0) === 0 && !startsAgents(spec);
}

function startsAgents({ agents = [], limits }: Job["spec"]): boolean {
  return agents.length > 0 && (limits.depth ?? 1) > 1;
}

/** Whether each of its calls has to be asked for: money holds nobody back whose calls have no price. */
export function isBudgeted(
  { step }: Pick<StepOrder, "step">,
  { spec: { limits } }: Pick<Job, "spec">,
  { spending, models }: Pick<Equipment, "spending" | "models">,
): boolean {
  const found = models.of(step.agent.model);
  const hasPrice = found !== undefined && (!("card" in found) || found.card.price !== undefined);
  const all: readonly (Limited | undefined)[] = [limits, limits.task, spending.jobLimit];
  return all.some((limit) => holds(limit, hasPrice));
}

interface Limited {
  nano_usd?: number | undefined;
  nanoUsd?: number | undefined;
  tokens?: number | undefined;
}

function holds(limit: Limited | undefined, hasPrice: boolean): boolean {
  return limit?.tokens !== undefined || (hasPrice && (limit?.nano_usd ?? limit?.nanoUsd) !== undefined);
}
