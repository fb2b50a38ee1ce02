import type { Recipe } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { WrittenCodemod } from "../protocol/job-file-codemod.ts";
import { symbolText } from "../protocol/job-file-codemod.ts";
import { languageByName } from "../protocol/language.ts";
import { repositoryFile } from "../protocol/written-text.ts";
import type { JobPath } from "./fill-inputs.ts";
import { at } from "./resolve-pattern.ts";
import type { Resolving } from "./resolving.ts";

/** A written codemod as a recipe with all it needs, compiled once to see that it can be. `path` is where it stands. */
export async function resolveCodemod(codemod: WrittenCodemod, path: JobPath, resolving: Resolving): Promise<Recipe> {
  const recipe = await recipeOf(codemod, path, resolving);
  await resolving.compile(recipe, resolving.place(path));
  return recipe;
}

async function recipeOf(codemod: WrittenCodemod, path: JobPath, { files, filler, place }: Resolving): Promise<Recipe> {
  if (typeof codemod === "string") return { name: codemod };
  const whole = (written: string, key: string) => filler.whole(written, [...path, key]);
  const rename = codemod["rename-symbol"];
  const move = codemod["move-file"];
  const file = (written: string, keys: JobPath) => filler.whole(written, [...path, ...keys], repositoryFile);
  const tsconfig = (written: string | undefined, kind: string) =>
    written === undefined ? {} : { tsconfig: file(written, [kind, "tsconfig"]) };
  if (rename) {
    const name = (key: "symbol" | "to") => filler.whole(rename[key], [...path, "rename-symbol", key], symbolText);
    const declaredIn = file(rename.file, ["rename-symbol", "file"]);
    return {
      name: "rename-symbol",
      symbol: name("symbol"),
      to: name("to"),
      file: declaredIn,
      ...tsconfig(rename.tsconfig, "rename-symbol"),
    };
  }
  if (move) {
    const [from, to] = [file(move.from, ["move-file", "from"]), file(move.to, ["move-file", "to"])];
    return { name: "move-file", from, to, ...tsconfig(move.tsconfig, "move-file") };
  }
  if (codemod.rule !== undefined) {
    return { name: "rule", file: codemod.rule, rules: await files.rules(codemod.rule, place([...path, "rule"])) };
  }
  const { pattern = "", fix = "", language } = codemod;
  return {
    name: "replace-call",
    pattern: whole(pattern, "pattern"),
    fix: whole(fix, "fix"),
    ...(language ? { language: languageByName[language] } : {}),
  };
}

export type Compile = (recipe: Recipe, place: string) => Promise<void>;

/** Compiles each recipe once. Throws its Fault with the place before its message. */
export function compilerOnce(): Compile {
  const done = new Map<string, Fault | undefined>();
  return async (recipe, place) => {
    // These ship, and their tests compile them: no need to load the engine before a thread does.
    if (Object.keys(recipe).length === 1) return;
    const key = JSON.stringify(recipe);
    if (!done.has(key)) done.set(key, await faultOf(recipe));
    const fault = done.get(key);
    if (fault) throw at(place, fault);
  };
}

async function faultOf(recipe: Recipe): Promise<Fault | undefined> {
  const { compileRecipe } = await import("../rewrite/engine.ts");
  try {
    await compileRecipe(recipe);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
}
