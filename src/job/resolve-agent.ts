import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { AgentSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { WrittenAgent } from "../protocol/job-file-agent.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import { agentLimits } from "./agent-tools.ts";
import type { JobPath } from "./fill-inputs.ts";
import { unknownAgent } from "./known-agents.ts";
import type { RepositoryAgent } from "./repository-agents.ts";
import { runLimitsOf } from "./resolve-limits.ts";
import { resolveModel } from "./resolve-model.ts";
import { at, resolveRules } from "./resolve-pattern.ts";
import type { Resolving } from "./resolving.ts";

/** The agent a prompt is for, with its model, instructions and rules. `path` is where the step stands. */
export async function agentOf(step: WrittenStep, path: JobPath, resolving: Resolving): Promise<AgentSpec> {
  if (step.agent === undefined) return namelessAgent("default", resolving);
  return agentNamed(step.agent, resolving.place([...path, "agent"]), resolving);
}

/** The job's model without instructions, called `name`. */
export async function namelessAgent(name: string, resolving: Resolving): Promise<AgentSpec> {
  return { name, model: await resolveModel(resolving.file.model, ["model"], resolving), instructions: "" };
}

/**
 * The agent of that name: one of the job's own, else of the repository. `place` is where it is named. Where no repository
 * is at hand, a name that is not one of the job's misspelt is taken for one of the repository's.
 */
export async function agentNamed(name: string, place: string, resolving: Resolving): Promise<AgentSpec> {
  const { agents = {} } = resolving.file;
  const written = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (written) return agentWritten(name, written, resolving);
  const found = await resolving.agents.named(name).catch((thrown: unknown) => {
    throw thrown instanceof Fault ? at(place, thrown) : thrown;
  });
  if (found) return agentInFile(name, {}, { ...resolving, found });
  if (resolving.agents.isAtHand || nearest(name, Object.keys(agents))) throw await unknownAgent(name, place, resolving);
  return namelessAgent(name, resolving);
}

/** An agent that the job defines. Whoever has no repository at hand reads no file: the job is then only looked at. */
export async function agentWritten(name: string, written: WrittenAgent, resolving: Resolving): Promise<AgentSpec> {
  const { place, agents, filler, file } = resolving;
  const { use } = written;
  if (use !== undefined && agents.isAtHand) {
    const found = await agents.at(use);
    if (found) return agentInFile(name, written, { ...resolving, found });
    throw new Fault("job_file", `${place(["agents", name, "use"])}: the commit has no file ${quoted(use)}`, {
      remedy: "commit it, or correct the path: it is read at the commit that the job starts from",
    });
  }
  const allow =
    written.allow && (await resolveRules(written.allow, { path: ["agents", name, "allow"], list: "allow" }, resolving));
  const deny = await resolveRules(written.deny, { path: ["agents", name, "deny"], list: "deny" }, resolving);
  const offered = toolsOf(name, written, resolving);
  const allowed = allow ?? offered?.allow;
  const limits = runLimitsOf(written.limits, { fileTurns: undefined, jobTurns: file.limits?.turns });
  return {
    name,
    model: await modelFor(name, written, undefined, resolving),
    instructions: filler.whole(written.prompt ?? "", ["agents", name, "prompt"]),
    ...(allowed ? { allow: allowed } : {}),
    ...(deny.length > 0 ? { deny } : {}),
    ...(offered?.tools ? { tools: offered.tools } : {}),
    ...(written.description === undefined ? {} : { description: written.description }),
    ...(limits ? { limits } : {}),
  };
}

/** `written`: what the job says of it besides, which goes before what the file says, and may narrow it. */
async function agentInFile(
  name: string,
  written: WrittenAgent,
  resolving: Resolving & { found: RepositoryAgent },
): Promise<AgentSpec> {
  const { model, turns, deny: denied = [], ...found } = resolving.found;
  const deny = await resolveRules(written.deny, { path: ["agents", name, "deny"], list: "deny" }, resolving);
  const limits = runLimitsOf(written.limits, { fileTurns: turns, jobTurns: resolving.file.limits?.turns });
  return {
    ...found,
    name,
    model: await modelFor(name, written, model, resolving),
    ...(denied.length + deny.length > 0 ? { deny: [...denied, ...deny] } : {}),
    ...(written.description === undefined ? {} : { description: written.description }),
    ...(limits ? { limits } : {}),
  };
}

/** What the job says of this agent, else what its file asks for, else the job's. */
function modelFor(name: string, written: WrittenAgent, wanted: string | undefined, resolving: Resolving) {
  if (written.model !== undefined) return resolveModel(written.model, ["agents", name, "model"], resolving);
  return resolveModel(wanted ?? resolving.file.model, ["model"], resolving);
}

function toolsOf(name: string, { tools }: WrittenAgent, { place }: Resolving) {
  try {
    return tools && agentLimits(tools, []);
  } catch (thrown) {
    throw thrown instanceof Fault ? at(place(["agents", name, "tools"]), thrown) : thrown;
  }
}
