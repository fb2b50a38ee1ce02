import type { AgentSpec } from "../protocol/agent.ts";
import type { JobSpec } from "../protocol/job.ts";
import { isPlanned } from "../protocol/job-file-parts.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import type { Step } from "../protocol/step.ts";
import { agentWritten, namelessAgent } from "./resolve-agent.ts";
import type { Resolving } from "./resolving.ts";
import { plannerName, startableAgents } from "./startable-agents.ts";

/** Who works for a job besides the agents of its steps: who plans, who does what is planned, whom others may start. */
export type JobAgents = Pick<JobSpec, "planner" | "worker" | "agents">;

/** What the job defines and nobody uses is looked up too, so that its mistakes are said. */
export async function resolveAgents(
  { permissions, steps }: { permissions: JobSpec["permissions"]; steps: readonly Step[] },
  resolving: Resolving,
): Promise<JobAgents> {
  const { file, faults } = resolving;
  const isByPlanner = isPlanned(file);
  await faults.all(unusedAgents(resolving), ([name, written]) => agentWritten(name, written, resolving));
  const startable =
    isByPlanner || file.limits?.depth === 2
      ? await startableAgents({ permissions, steps, isPlanned: isByPlanner }, resolving)
      : [];
  const agents = startable.length > 0 ? { agents: startable } : {};
  if (!isByPlanner) return agents;
  const [planner] = await faults.all([plannerName], (name) => plannerOf(name, resolving));
  const [worker] = await faults.all(["default"], (name) => namelessAgent(name, resolving));
  return { ...(planner ? { planner } : {}), ...(worker ? { worker } : {}), ...agents };
}

/** Every agent whose model the job may ask. */
export function agentsIn({ planner, worker, agents = [] }: JobAgents, steps: readonly Step[]): AgentSpec[] {
  const ofSteps = steps.flatMap((step) => (step.kind === "agent" ? [step.agent] : []));
  return [...ofSteps, ...agents, ...(planner ? [planner] : []), ...(worker ? [worker] : [])];
}

/** Only the job itself says who plans: a file of the repository that happens to have that name does not. */
function plannerOf(name: string, resolving: Resolving): Promise<AgentSpec> {
  const { agents = {} } = resolving.file;
  const written = Object.hasOwn(agents, name) ? agents[name] : undefined;
  return written ? agentWritten(name, written, resolving) : namelessAgent(name, resolving);
}

function unusedAgents({ file }: Resolving) {
  const { before = [], each = [], after = [], tasks = [], agents = {} } = file;
  const steps: WrittenStep[] = [...before, ...each, ...after, ...tasks.flatMap((task) => task.steps)];
  const used = new Set(steps.map((step) => step.agent));
  return Object.entries(agents).filter(([name]) => !used.has(name));
}
