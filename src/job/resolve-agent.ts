import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { AgentSpec, ModelSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { WrittenAgent } from "../protocol/job-file.ts";
import { isPlainRecipe } from "../protocol/job-file-codemod.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import { type AgentFile, readAgentFile } from "./agent-file.ts";
import type { JobPath } from "./fill-inputs.ts";
import { resolveRules } from "./resolve-pattern.ts";
import type { Resolving } from "./resolving.ts";

/** The agent a prompt is for, with its model, instructions and rules. `path` is where the step stands. */
export async function agentOf(step: WrittenStep, path: JobPath, resolving: Resolving): Promise<AgentSpec> {
  const { file, place } = resolving;
  const { agents = {}, model } = file;
  if (step.agent === undefined) {
    return { name: "default", model: await modelOf(model, path, ["model"], resolving), instructions: "" };
  }
  const name = step.agent;
  const written = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (!written) throw unknownAgent(name, Object.keys(agents), place([...path, "agent"]));
  const definition = await definitionOf(name, written, resolving);
  const modelPath = written.model === undefined ? ["model"] : ["agents", name, "model"];
  const chosen = written.model ?? model;
  if (chosen === undefined && definition.wanted !== undefined) throw modelNeeded(name, definition.wanted, resolving);
  const { wanted: _, ...rest } = definition;
  return { name, model: await modelOf(chosen, path, modelPath, resolving), ...rest };
}

/** Looks up what an agent names, so that one that no step uses is checked too. */
export async function checkAgent(name: string, agent: WrittenAgent, resolving: Resolving): Promise<void> {
  await definitionOf(name, agent, resolving);
  const path = ["agents", name, "model"];
  if (agent.model !== undefined) await modelOf(agent.model, path, path, resolving);
}

/** `wanted`: the model that its file asks for. */
type Definition = Omit<AgentSpec, "name" | "model"> & { wanted?: string };

async function definitionOf(name: string, written: WrittenAgent, resolving: Resolving): Promise<Definition> {
  const rules = (list: "allow" | "deny") =>
    resolveRules(written[list], { path: ["agents", name, list], list }, resolving);
  const allow = written.allow && (await rules("allow"));
  const deny = await rules("deny");
  const read = written.use === undefined ? undefined : await readUsed(name, written.use, resolving);
  const { model: wanted, ...file } = read ?? { instructions: instructionsOf(name, written, resolving) };
  const denied = [...(file.deny ?? []), ...deny];
  return {
    ...file,
    ...(allow ? { allow } : {}),
    ...(denied.length > 0 ? { deny: denied } : {}),
    ...(wanted === undefined ? {} : { wanted }),
  };
}

/** Whoever has no repository at hand reads none: the job is then only looked at, not run. */
async function readUsed(name: string, use: string, { place, agentFile }: Resolving): Promise<AgentFile> {
  if (agentFile === undefined) return { instructions: "" };
  const text = await agentFile(use);
  if (text !== undefined) return readAgentFile(text, use);
  throw new Fault("job_file", `${place(["agents", name, "use"])}: the commit has no file ${quoted(use)}`, {
    remedy: "commit it, or correct the path: it is read at the commit that the job starts from",
  });
}

function modelNeeded(name: string, wanted: string, { place }: Resolving): Fault {
  const asks = `its file asks for the model ${quoted(wanted)}, which is not built yet`;
  return new Fault("job_file", `${place(["agents", name, "use"])}: ${asks}`, {
    remedy: `write agents: { ${name}: { model: scripted/FILE } }, which is used in its place`,
  });
}

function instructionsOf(name: string, { prompt = "" }: WrittenAgent, { filler }: Resolving): string {
  return filler.whole(prompt, ["agents", name, "prompt"]);
}

/** `modelPath` is where the file names the model; `path` the step that needs one. */
async function modelOf(
  written: string | undefined,
  path: JobPath,
  modelPath: JobPath,
  { place, files }: Resolving,
): Promise<ModelSpec> {
  if (written === undefined) {
    const reason = 'a prompt needs a model, and the default "sonnet" is not built yet';
    throw new Fault("job_file", `${place([...path, "prompt"])}: ${reason}`, { remedy: "add model: scripted/FILE" });
  }
  const recipe = written.replace(/^recipe\//, "");
  if (recipe !== written && isPlainRecipe(recipe)) return { provider: "recipe", recipe: { name: recipe } };
  const file = written.slice("scripted/".length);
  return { provider: "scripted", file, turns: await files.script(file, place(modelPath)) };
}

function unknownAgent(name: string, known: readonly string[], place: string): Fault {
  const meant = nearest(name, known);
  const others = known.length > 0 ? `the agents here are ${known.join(", ")}` : "define it under agents:";
  return new Fault("job_file", `${place}: there is no agent ${quoted(name)}`, {
    remedy: meant ? `did you mean "${meant}"?` : others,
  });
}
