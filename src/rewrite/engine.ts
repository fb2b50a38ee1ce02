import type { Recipe } from "../protocol/agent.ts";
import type { CompiledRecipe } from "./compiled-recipe.ts";
import { loadLanguages } from "./grammars.ts";
import { nodeProtocol } from "./node-protocol.ts";
import { compileProgramRecipe, type ProgramRecipeSpec } from "./program-compiled.ts";
import type { ProgramRecipe } from "./program-recipe.ts";
import { compileReplaceCall } from "./replace-call.ts";
import { compileRules } from "./rule.ts";
import { languagesNamed } from "./rule-document.ts";
import { syntaxRecipe } from "./syntax-recipe.ts";

export type { CompiledRecipe } from "./compiled-recipe.ts";
export type { ProgramRecipe } from "./program-recipe.ts";

/**
 * A recipe made ready to run. Throws Fault `rule` when its pattern, fix or rules cannot work as written,
 * naming the rule, the place, the reason and what to change, or when the package of its language is not installed.
 */
export async function compileRecipe(recipe: ProgramRecipeSpec): Promise<ProgramRecipe>;
export async function compileRecipe(
  recipe: Exclude<Recipe, ProgramRecipeSpec | { name: "require-to-import" }>,
): Promise<CompiledRecipe>;
export async function compileRecipe(recipe: Recipe): Promise<CompiledRecipe | ProgramRecipe>;
export async function compileRecipe(recipe: Recipe): Promise<CompiledRecipe | ProgramRecipe> {
  switch (recipe.name) {
    case "node-protocol":
      return nodeProtocol;
    case "replace-call":
      await loadLanguages(recipe.language ? [recipe.language] : []);
      return compileReplaceCall(recipe);
    case "rule":
      await loadLanguages(languagesNamed(recipe.rules));
      return compileRules(recipe);
    case "no-var":
    case "import-type":
      return syntaxRecipe(recipe.name);
    case "require-to-import":
      return requireToImport;
    case "rename-symbol":
    case "move-file":
      return compileProgramRecipe(recipe);
  }
}

/** Its parser is loaded by a run alone, as that of the other recipes about whole programs. */
const requireToImport: ProgramRecipe = {
  name: "require-to-import",
  covers: (path) => path.endsWith(".js"),
  plan: async (view) => (await import("./require-to-import.ts")).requireToImport(view),
};
