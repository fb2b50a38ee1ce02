import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import type { AgentSpec, ModelSpec, Recipe } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { Step } from "../protocol/job.ts";
import type { WrittenAgent } from "../protocol/job-file.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import type { Rule } from "../protocol/scope.ts";
import type { JobSource } from "./read-job-file.ts";
import type { JobFiles } from "./resolve-files.ts";
import { at, ruleAt } from "./resolve-pattern.ts";

export type JobPath = readonly (string | number)[];

export interface StepResolver {
  /** `path` is where the step stands in the job file. */
  resolveStep(step: WrittenStep, path: JobPath): Promise<Step>;
  /** Looks up what an agent names, so that one that no step uses is checked too. */
  checkAgent(name: string): Promise<void>;
}

/** Turns written steps into steps that carry their agent, model and recipe. Every recipe is compiled once. */
export function stepResolver(source: JobSource, files: JobFiles): StepResolver {
  const compile = compilerOnce();
  const used = new Set<string>();
  return {
    async resolveStep(step, path) {
      if (step.codemod === undefined) {
        if (step.agent !== undefined) used.add(step.agent);
        return { kind: "agent", agent: await agentOf(step, path, source, files), prompt: step.prompt ?? "" };
      }
      const recipe = await recipeOf(step.codemod, source.place([...path, "codemod", "rule"]), files);
      await compile(recipe, source.place([...path, "codemod"]));
      const name = recipe.name === "rule" ? recipe.file : recipe.name;
      return { kind: "agent", agent: { name, model: { provider: "recipe", recipe }, instructions: "" }, prompt: "" };
    },
    async checkAgent(name) {
      const agent = source.file.agents?.[name];
      if (used.has(name) || !agent) return;
      rulesOf(name, agent, source);
      const path = ["agents", name, "model"];
      if (agent.model !== undefined) await modelOf(agent.model, path, path, source, files);
    },
  };
}

const languages = {
  JavaScript: "JavaScript",
  javascript: "JavaScript",
  js: "JavaScript",
  jsx: "JavaScript",
  TypeScript: "TypeScript",
  typescript: "TypeScript",
  ts: "TypeScript",
  Tsx: "Tsx",
  tsx: "Tsx",
} as const;

async function recipeOf(codemod: NonNullable<WrittenStep["codemod"]>, place: string, files: JobFiles): Promise<Recipe> {
  if (typeof codemod === "string") return { name: codemod };
  if (codemod.rule !== undefined) {
    return { name: "rule", file: codemod.rule, rules: await files.rules(codemod.rule, place) };
  }
  const { pattern = "", fix = "", language } = codemod;
  return { name: "replace-call", pattern, fix, ...(language ? { language: languages[language] } : {}) };
}

function compilerOnce(): (recipe: Recipe, place: string) => Promise<void> {
  const done = new Map<string, Fault | undefined>();
  return async (recipe, place) => {
    // It ships, and its tests compile it: no need to load the engine before a thread does.
    if (recipe.name === "node-protocol") return;
    const key = JSON.stringify(recipe);
    if (!done.has(key)) done.set(key, await faultOf(recipe));
    const fault = done.get(key);
    if (fault) throw at(place, fault);
  };
}

async function faultOf(recipe: Recipe): Promise<Fault | undefined> {
  const { compileRecipe } = await import("../rewrite/engine.ts");
  try {
    compileRecipe(recipe);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
}

async function agentOf(step: WrittenStep, path: JobPath, source: JobSource, files: JobFiles): Promise<AgentSpec> {
  const { agents = {}, model } = source.file;
  if (step.agent === undefined) {
    return { name: "default", model: await modelOf(model, path, ["model"], source, files), instructions: "" };
  }
  const name = step.agent;
  const written = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (!written) throw unknownAgent(name, Object.keys(agents), source.place([...path, "agent"]));
  const allow = rulesOf(name, written, source);
  const modelPath = written.model === undefined ? ["model"] : ["agents", name, "model"];
  return {
    name,
    model: await modelOf(written.model ?? model, path, modelPath, source, files),
    instructions: written.prompt ?? "",
    ...(allow ? { allow } : {}),
  };
}

function rulesOf(name: string, { allow }: WrittenAgent, { place }: JobSource): Rule[] | undefined {
  return allow?.map((text, index) => ruleAt(text, place(["agents", name, "allow", index])));
}

/** `modelPath` is where the file names the model; `path` the step that needs one. */
async function modelOf(
  written: string | undefined,
  path: JobPath,
  modelPath: JobPath,
  { place }: JobSource,
  files: JobFiles,
): Promise<ModelSpec> {
  if (written === undefined) {
    const reason = 'a prompt needs a model, and the default "sonnet" is not built yet';
    throw new Fault("job_file", `${place([...path, "prompt"])}: ${reason}`, { remedy: "add model: scripted/FILE" });
  }
  if (!written.startsWith("scripted/")) return { provider: "recipe", recipe: { name: "node-protocol" } };
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
