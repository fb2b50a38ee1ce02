import { type ModelSpec, modelName } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { Model } from "./model.ts";
import type { ProgramRecipeView } from "./program-recipe.ts";
import { scriptedModel } from "./scripted.ts";

/** The provider a specification names. The codemod engine is loaded only by a run that needs it. */
export async function openModel(spec: ModelSpec, view: ProgramRecipeView): Promise<Model> {
  const name = modelName(spec);
  if (spec.provider === "scripted") return scriptedModel(name, spec.turns);
  if (spec.provider !== "recipe") throw new Fault("provider_unavailable", `the model ${name} cannot be opened`);
  const [{ compileRecipe }, { recipeModel }, { programModel }] = await Promise.all([
    import("../rewrite/engine.ts"),
    import("./recipe.ts"),
    import("./program-recipe.ts"),
  ]);
  const recipe = await compileRecipe(spec.recipe);
  if ("plan" in recipe) return programModel(name, recipe, view);
  await recipe.prepare?.();
  return recipeModel(name, recipe, view);
}
