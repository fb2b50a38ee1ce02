import { parse } from "@ast-grep/napi";
import type { Recipe } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { CompiledRecipe } from "./compiled-recipe.ts";
import { expandTemplate, type FixTemplate, parseTemplate, variablesOf } from "./fix-template.ts";
import { type Pattern, readPattern } from "./pattern.ts";
import { type Match, selectMatches } from "./select-matches.ts";
import { type Language, languageOf, readSource, type SourceText } from "./source-text.ts";
import { errorZonesOf } from "./syntax-error.ts";

type ReplaceCall = Extract<Recipe, { name: "replace-call" }>;

/**
 * The user's pattern and fix, as `ast-grep run -p PATTERN -r FIX -U` would apply them. It does not look inside
 * what it has just replaced: inner matches are leftovers for the next run.
 */
export function compileReplaceCall(recipe: ReplaceCall): CompiledRecipe {
  const patterns = patternsOf(recipe);
  const template = parseTemplate(recipe.fix, new Set());
  for (const pattern of patterns.values()) refuseUnbound(recipe, pattern, template);
  return {
    name: "replace-call",
    covers: (path) => patterns.has(languageOf(path) ?? "none"),
    rewrite: (file) => {
      const source = readSource(file);
      if ("skipped" in source) return { edits: [], leftovers: [], skipped: source.skipped };
      const pattern = patterns.get(source.language);
      if (!pattern) return { edits: [], leftovers: [], skipped: "language not covered" };
      if (!pattern.words.every((word) => source.text.includes(word))) return { edits: [], leftovers: [] };
      return replaceIn(source, { text: recipe.pattern, pattern }, template);
    },
  };
}

/** Where no language is named: a pattern for one family of languages says nothing about another. */
const scriptLanguages: readonly Language[] = ["JavaScript", "TypeScript", "Tsx"];

/** The pattern in each language it may look at: the one that was asked for, or all that can read it. */
function patternsOf(recipe: ReplaceCall): Map<string, Pattern> {
  const readable = new Map<string, Pattern>();
  const problems: string[] = [];
  for (const language of recipe.language ? [recipe.language] : scriptLanguages) {
    const pattern = readPattern(language, recipe.pattern);
    if ("problem" in pattern) problems.push(`${language}: ${pattern.problem}`);
    else readable.set(language, pattern);
  }
  if (readable.size > 0) return readable;
  throw new Fault("rule", `replace-call: the pattern \`${recipe.pattern}\` does not compile: ${problems.join("; ")}`, {
    remedy: "write the pattern as complete code, with $NAME for one node and $$$NAME for any number of them",
  });
}

function refuseUnbound(recipe: ReplaceCall, pattern: Pattern, template: FixTemplate): void {
  for (const { name, isMany } of variablesOf(template)) {
    if (pattern.variables.some((bound) => bound.name === name && bound.isMany === isMany)) continue;
    const written = `${isMany ? "$$$" : "$"}${name}`;
    const bound = pattern.variables.map((one) => `${one.isMany ? "$$$" : "$"}${one.name}`).join(", ") || "none";
    throw new Fault(
      "rule",
      `replace-call: the fix \`${recipe.fix}\` uses ${written}, which the pattern does not bind`,
      {
        remedy: `use a variable of the pattern \`${recipe.pattern}\` (${bound}), or bind ${written} in it`,
      },
    );
  }
}

function replaceIn(
  source: SourceText,
  { text: label, pattern }: { text: string; pattern: Pattern },
  template: FixTemplate,
) {
  const root = parse(source.language, source.text).root();
  const matches = root.findAll({ rule: { pattern: pattern.matcher } }).map((node): Match => {
    const { start, end } = node.range();
    const at = { start: start.index, end: end.index };
    return { ...at, node: { ...at, place: start }, text: expandTemplate(template, node, source.text), label };
  });
  return selectMatches(source, matches, errorZonesOf(root));
}
