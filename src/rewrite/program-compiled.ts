import type { Recipe } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { ProgramRecipe } from "./program-recipe.ts";

export type ProgramRecipeSpec = Extract<Recipe, { name: "rename-symbol" | "move-file" }>;

/**
 * Makes `rename-symbol` and `move-file` ready, without TypeScript, which only a run loads. Throws Fault `rule` for what
 * no repository could make right: paths that leave it, names that are none.
 */
export function compileProgramRecipe(recipe: ProgramRecipeSpec): ProgramRecipe {
  for (const [key, path] of pathsOf(recipe)) refuseStrayPath(recipe.name, key, path);
  if (recipe.name === "move-file") {
    if (recipe.from === recipe.to) throw fault(recipe.name, "from and to are the same path", "write where it shall be");
    return {
      name: recipe.name,
      covers,
      plan: async (view) => (await import("./program-move.ts")).moveFile(recipe, view),
    };
  }
  refuseNames(recipe);
  return {
    name: recipe.name,
    covers,
    plan: async (view) => (await import("./program-rename.ts")).renameSymbol(recipe, view),
  };
}

/** Sources, the settings of projects and packages, and texts that people read. */
function covers(path: string): boolean {
  return /\.(?:[cm]?[jt]s|[jt]sx|jsonc?|ya?ml|mdx?|html?|vue|svelte|astro|graphql|toml|sh|txt)$/i.test(path);
}

function pathsOf(recipe: ProgramRecipeSpec): [string, string][] {
  const own: [string, string][] =
    recipe.name === "move-file"
      ? [
          ["from", recipe.from],
          ["to", recipe.to],
        ]
      : [["file", recipe.file]];
  return recipe.tsconfig === undefined ? own : [...own, ["tsconfig", recipe.tsconfig]];
}

function refuseStrayPath(name: string, key: string, path: string): void {
  const steps = path.split("/");
  const isPlain = path !== "" && steps.every((step) => step !== "" && step !== "." && step !== "..");
  if (isPlain && !/[\0\\]/.test(path)) return;
  const reason = `${key}: ${JSON.stringify(path)} is no path inside the repository`;
  throw fault(name, reason, "write it from the top of the repository, such as src/user.ts, with / and without ..");
}

function refuseNames({ name, symbol, to }: Extract<ProgramRecipeSpec, { name: "rename-symbol" }>): void {
  const isNamed = symbol.split(".").every((step) => identifier.test(step));
  if (!isNamed) {
    const reason = `symbol: ${JSON.stringify(symbol)} is no name of a symbol`;
    throw fault(name, reason, "write name, Class.member, Class.prototype.member, namespace.name or default");
  }
  if (!identifier.test(to)) {
    throw fault(
      name,
      `to: ${JSON.stringify(to)} is no name that JavaScript can have`,
      "write the new name alone, without dots",
    );
  }
}

const identifier = /^#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

function fault(name: string, reason: string, remedy: string): Fault {
  return new Fault("rule", `${name}: ${reason}`, { remedy });
}
