import { Fault } from "../protocol/failure.ts";
import type { CompiledRecipe, FileRewrite, SourceFile } from "./compiled-recipe.ts";
import { scriptLanguageOf } from "./source-text.ts";

/**
 * Recipes that read files with TypeScript's parser. Its 50 MB are loaded only by a thread that is about to rewrite:
 * whoever merely asks which files a recipe covers does without.
 */
export function syntaxRecipe(name: "no-var" | "import-type"): CompiledRecipe {
  let rewrite: ((file: SourceFile) => FileRewrite) | undefined;
  return {
    name,
    covers: name === "no-var" ? isScript : isTypeScript,
    async prepare() {
      rewrite = name === "no-var" ? (await import("./no-var.ts")).noVar : (await import("./import-type.ts")).importType;
    },
    rewrite(file) {
      if (!rewrite) throw new Fault("internal", `${name} was asked to rewrite before it was prepared`);
      return rewrite(file);
    },
  };
}

/** Declarations hold nothing that runs. */
function isScript(path: string): boolean {
  const language = scriptLanguageOf(path);
  return (language === "JavaScript" || isTypeScript(path)) && !/\.d\.(?:[cm]?ts|[^./]+\.ts)$/.test(path);
}

function isTypeScript(path: string): boolean {
  const language = scriptLanguageOf(path);
  return (language === "TypeScript" || language === "Tsx") && !/\.d\.(?:[cm]?ts|[^./]+\.ts)$/.test(path);
}
