import { type ModelSpec, modelName } from "../protocol/agent.ts";
import type { Model } from "./model.ts";
import type { RecipeView } from "./recipe.ts";
import { scriptedModel } from "./scripted.ts";

/** The provider a specification names. The codemod engine is loaded only by a run that needs it. */
export async function openModel(spec: ModelSpec, view: RecipeView): Promise<Model> {
  const name = modelName(spec);
  if (spec.provider === "scripted") return scriptedModel(name, spec.turns);
  const [{ compileRecipe }, { recipeModel }] = await Promise.all([
    import("../rewrite/engine.ts"),
    import("./recipe.ts"),
  ]);
  return recipeModel(name, compileRecipe(spec.recipe), view);
}
