import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { AgentSpec, ModelSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { WrittenAgent } from "../protocol/job-file.ts";
import { isPlainRecipe } from "../protocol/job-file-codemod.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import type { Rule } from "../protocol/scope.ts";
import type { JobPath } from "./fill-inputs.ts";
import { ruleAt } from "./resolve-pattern.ts";
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
  const allow = rulesOf(name, written, resolving);
  const modelPath = written.model === undefined ? ["model"] : ["agents", name, "model"];
  return {
    name,
    model: await modelOf(written.model ?? model, path, modelPath, resolving),
    instructions: instructionsOf(name, written, resolving),
    ...(allow ? { allow } : {}),
  };
}

/** Looks up what an agent names, so that one that no step uses is checked too. */
export async function checkAgent(name: string, agent: WrittenAgent, resolving: Resolving): Promise<void> {
  rulesOf(name, agent, resolving);
  instructionsOf(name, agent, resolving);
  const path = ["agents", name, "model"];
  if (agent.model !== undefined) await modelOf(agent.model, path, path, resolving);
}

function rulesOf(name: string, { allow }: WrittenAgent, { place }: Resolving): Rule[] | undefined {
  return allow?.map((text, index) => ruleAt(text, place(["agents", name, "allow", index])));
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
