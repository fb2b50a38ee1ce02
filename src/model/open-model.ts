import { type ModelSpec, modelName, type Recipe } from "../protocol/agent.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import { Fault } from "../protocol/failure.ts";
import type { ModelCard } from "../protocol/model-card.ts";
import type { RecordedRun } from "../protocol/recording.ts";
import type { Model } from "./model.ts";
import type { ProgramRecipeView } from "./program-recipe.ts";
import { scriptedModel } from "./scripted.ts";

/** What a run is given for its model, besides the specification. */
export interface ModelMeans {
  view: ProgramRecipeView;
  /** Of a model behind the Messages API. */
  model?: { card: ModelCard; endpoint: Endpoint } | undefined;
  /** Of a replay: the runs that may be this one. */
  recording?: readonly RecordedRun[] | undefined;
}

/**
 * The provider a specification names. The codemod engine and the Messages client are loaded only by a run that needs
 * them. Throws Fault where what it needs was not given, or cannot be loaded.
 */
export async function openModel(spec: ModelSpec, { view, model, recording }: ModelMeans): Promise<Model> {
  const name = modelName(spec);
  switch (spec.provider) {
    case "scripted":
      return scriptedModel(name, spec.turns);
    case "recipe":
      return openRecipe(name, spec.recipe, view);
    case "replay": {
      if (!recording) throw new Fault("internal", `the run of ${name} was given no recording`);
      const { replayModel } = await import("./replay.ts");
      return replayModel(name, recording);
    }
    case "messages": {
      if (!model) throw new Fault("internal", `the run of ${name} was given no endpoint`);
      const { messagesModel } = await import("./messages.ts");
      return messagesModel({ name, model: spec.model, ...model });
    }
  }
}

async function openRecipe(name: string, spec: Recipe, view: ProgramRecipeView): Promise<Model> {
  const [{ compileRecipe }, { recipeModel }, { programModel }] = await Promise.all([
    import("../rewrite/engine.ts"),
    import("./recipe.ts"),
    import("./program-recipe.ts"),
  ]);
  const recipe = await compileRecipe(spec);
  if ("plan" in recipe) return programModel(name, recipe, view);
  await recipe.prepare?.();
  return recipeModel(name, recipe, view);
}
