import type { Recipe } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { CompiledRecipe } from "./compiled-recipe.ts";
import { nodeProtocol } from "./node-protocol.ts";
import { compileReplaceCall } from "./replace-call.ts";
import { compileRules } from "./rule.ts";

export type { CompiledRecipe } from "./compiled-recipe.ts";

/**
 * A recipe made ready to run. Throws Fault `rule` when its pattern, fix or rules cannot work as written,
 * naming the rule, the place, the reason and what to change.
 */
export function compileRecipe(recipe: Recipe): CompiledRecipe {
  switch (recipe.name) {
    case "node-protocol":
      return nodeProtocol;
    case "replace-call":
      return compileReplaceCall(recipe);
    case "rule":
      return compileRules(recipe);
    case "no-var":
    case "import-type":
    case "require-to-import":
    case "rename-symbol":
    case "move-file":
      throw new Fault("rule", `${recipe.name} is not built yet`);
  }
}
