import type { AgentSpec, ModelSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Rule } from "../protocol/scope.ts";
import type { Step } from "../protocol/step.ts";
import { knownAgents } from "./known-agents.ts";
import { agentNamed, namelessAgent } from "./resolve-agent.ts";
import type { Resolving } from "./resolving.ts";

/**
 * The agents that others may start, by `Agent` rules, and those that a plan may name. Who is named is read strictly.
 * A bare `Agent`, and a planner, mean whoever is there: of the repository's own files those that can be read.
 */
export async function startableAgents(
  {
    permissions,
    steps,
    isPlanned,
  }: { permissions: JobSpec["permissions"]; steps: readonly Step[]; isPlanned: boolean },
  resolving: Resolving,
): Promise<AgentSpec[]> {
  const rules = [...permissions.allow, ...(permissions.ask ?? []), ...(permissions.grant ?? [])];
  const all = [...rules, ...steps.flatMap(rulesOf)].flatMap((rule) => (rule.tool === "Agent" ? [rule] : []));
  const named = new Set(all.flatMap(({ name }) => name ?? []));
  const isAnyone = isPlanned || all.some(({ name }) => name === undefined);
  const own = isAnyone
    ? Object.keys(resolving.file.agents ?? {}).filter((name) => !isPlanned || name !== plannerName)
    : [];
  const known = new Set(await knownAgents(resolving));
  const strict = [...new Set([...named, ...own])].filter((name) => known.has(name));
  const found = await resolving.faults.all(strict, (name) => agentNamed(name, `Agent(${name})`, resolving));
  if (!isAnyone) return found;
  const others = [...known].filter((name) => !strict.includes(name) && name !== plannerName);
  return [...found, ...(await readable(others, resolving))];
}

/** An agent of the job that has this name plans, where a planner makes the tasks. */
export const plannerName = "planner";

function rulesOf(step: Step): readonly Rule[] {
  return step.kind === "agent" ? [...(step.allow ?? []), ...(step.agent.allow ?? [])] : [];
}

/** What nobody named goes into the log with the job all the same, so it is bounded. */
const mostAgents = 100;
const mostCharacters = 1_000_000;

async function readable(names: readonly string[], resolving: Resolving): Promise<AgentSpec[]> {
  const agents: AgentSpec[] = [];
  const { model } = await namelessAgent("default", resolving).catch(unsaid);
  let left = mostCharacters;
  for (const name of names.slice(0, mostAgents)) {
    const agent = await agentNamed(name, name, resolving).catch(broken);
    left -= agent?.instructions.length ?? 0;
    if (agent && left >= 0 && isAsNear(agent.model, model)) agents.push({ ...agent, is_unnamed: true });
  }
  return agents;
}

/**
 * Whether somebody who runs a job on `own` can be thought to have `model` too. A job on a script, a recording or a model
 * of this machine asks nobody else for an answer because of a file that the job does not name.
 */
function isAsNear(model: ModelSpec, own: ModelSpec | undefined): boolean {
  if (model.provider !== "messages") return true;
  if (own?.provider !== "messages" || own.via !== model.via) return false;
  if (own.model === model.model || own.via !== "anthropic") return true;
  return [own, model].every(({ model: id }) => id.startsWith("claude-"));
}

/** What is wrong with the job's own model is said where it stands. */
function unsaid(thrown: unknown): { model?: ModelSpec } {
  if (!(thrown instanceof Fault)) throw thrown;
  return {};
}

function broken(thrown: unknown): undefined {
  if (!(thrown instanceof Fault)) throw thrown;
  return undefined;
}
