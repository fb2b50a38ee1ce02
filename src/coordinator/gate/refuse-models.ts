import type { AgentSpec } from "../../protocol/agent.ts";
import { Fault, type FaultCode } from "../../protocol/failure.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { Equipment } from "../equipment.ts";
import { stepsOf } from "../tasks/steps-of.ts";

/**
 * A model that nobody answers for, or that no key is there for, and a limit of money that could not be kept because
 * nobody knows what the model costs. Throws Fault `credentials`, `configuration` or `job_file`.
 */
export function refuseModels(spec: JobSpec, { models, spending }: Pick<Equipment, "models" | "spending">): void {
  for (const agent of agentsOf(spec)) {
    const found = models.of(agent.model);
    if (!found) continue;
    if ("failure" in found) {
      const { code, message, remedy } = found.failure;
      // The directory speaks in codes of faults alone.
      throw new Fault(code as FaultCode, message, remedy === undefined ? {} : { remedy });
    }
    if (!found.card.price)
      refuseUnpriced(found.card.id, agent, { limits: spec.limits, hasOperatorLimit: spending.isMoneyLimited });
  }
}

/**
 * The job without those agents that nobody named and whose model has no known price, where money is limited: they would
 * keep it from running at all. They are told to the operator.
 */
export function withoutUnpriced(
  spec: JobSpec,
  { models, spending, warn }: Pick<Equipment, "models" | "spending" | "warn">,
): JobSpec {
  const { nano_usd, is_default_usd, task } = spec.limits;
  const isLimited =
    spending.isMoneyLimited || (nano_usd !== undefined && !is_default_usd) || task?.nano_usd !== undefined;
  if (!spec.agents || !isLimited) return spec;
  const isKept = ({ is_unnamed, model }: AgentSpec) => {
    const found = is_unnamed ? models.of(model) : undefined;
    return !found || "failure" in found || found.card.price !== undefined;
  };
  const left = spec.agents.filter((agent) => !isKept(agent)).map(({ name }) => name);
  if (left.length === 0) return spec;
  warn?.(`agents without a known price are left out, since money is limited: ${left.join(", ").slice(0, 500)}`);
  return { ...spec, agents: spec.agents.filter(isKept) };
}

function agentsOf(spec: JobSpec): AgentSpec[] {
  const inSteps = stepsOf(spec).flatMap((step) => (step.kind === "agent" ? [step.agent] : []));
  return [spec.planner, spec.worker, ...(spec.agents ?? []), ...inSteps].flatMap((agent) => agent ?? []);
}

function refuseUnpriced(
  model: string,
  agent: AgentSpec,
  { limits, hasOperatorLimit }: { limits: JobSpec["limits"]; hasOperatorLimit: boolean },
): void {
  const price = "write its price under models in sheaf.config.yaml";
  if (hasOperatorLimit) {
    const message = `the model ${model} has no known price, so the operator's limit of money could not be kept`;
    throw new Fault("configuration", message, { remedy: `${price}, or limit tokens instead` });
  }
  const isLimited = limits.nano_usd !== undefined && !limits.is_default_usd;
  if (!isLimited && limits.task?.nano_usd === undefined && agent.limits?.nano_usd === undefined) return;
  const message = `limits: usd cannot be kept: the model ${model} has no known price`;
  throw new Fault("job_file", message, { remedy: `limit tokens instead (limits.tokens), or ${price}` });
}
