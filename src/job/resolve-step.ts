import type { AgentSpec } from "../protocol/agent.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import type { AgentStep, CommandStep, Step } from "../protocol/step.ts";
import type { JobPath, Within } from "./fill-inputs.ts";
import { agentOf } from "./resolve-agent.ts";
import { resolveCodemod } from "./resolve-codemod.ts";
import { resolvePaths, resolveRules } from "./resolve-pattern.ts";
import { reachOf } from "./resolve-reach.ts";
import type { Resolving } from "./resolving.ts";

const defaultTimeoutMs = 15 * 60_000;

/** A written step with its agent, model and recipe, or its command; inputs are filled in. `path` is where it stands. */
export async function resolveStep(
  step: WrittenStep,
  path: JobPath,
  within: Within,
  resolving: Resolving,
): Promise<Step> {
  const writes = await resolvePaths(step.writes ?? [], [...path, "writes"], resolving);
  const narrowed = step.writes === undefined ? {} : { writes };
  if (step.run !== undefined) return { ...commandStep(step, path, within, resolving), ...narrowed };
  return { ...(await agentStep(step, path, within, resolving)), ...narrowed };
}

function commandStep(step: WrittenStep, path: JobPath, within: Within, { filler }: Resolving): CommandStep {
  const { run = [], mayFail = false, timeout = defaultTimeoutMs } = step;
  const filled =
    typeof run === "string" ? run : run.map((word, index) => filler.word(word, [...path, "run", index], within));
  return { kind: "command", run: filled, may_fail: mayFail, timeout_ms: timeout, ...reachOf(step) };
}

async function agentStep(step: WrittenStep, path: JobPath, within: Within, resolving: Resolving): Promise<AgentStep> {
  if (step.codemod === undefined) {
    const prompt = resolving.filler.prompt(step.prompt ?? "", [...path, "prompt"], within);
    const agent = await agentOf(step, path, resolving);
    const allow = await resolveRules(step.allow, { path: [...path, "allow"], list: "allow" }, resolving);
    return { kind: "agent", agent, prompt, ...(step.allow ? { allow } : {}), ...reachOf(step) };
  }
  const recipe = await resolveCodemod(step.codemod, [...path, "codemod"], resolving);
  const name = recipe.name === "rule" ? recipe.file : recipe.name;
  const agent: AgentSpec = { name, model: { provider: "recipe", recipe }, instructions: "" };
  return { kind: "agent", agent, prompt: "" };
}
