import { parse, type SgNode } from "@ast-grep/napi";
import type { Recipe } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { CompiledRecipe } from "./compiled-recipe.ts";
import { expandTemplate } from "./fix-template.ts";
import { type RuleDocument, readRule } from "./rule-document.ts";
import type { Expansion } from "./rule-fix.ts";
import { type Match, selectMatches } from "./select-matches.ts";
import { languageOf, readSource, type SourceText } from "./source-text.ts";
import { type Suppressed, suppressionsIn } from "./suppression.ts";
import { errorZonesOf } from "./syntax-error.ts";

type RuleRecipe = Extract<Recipe, { name: "rule" }>;

/**
 * The rules of one ast-grep YAML file, as `ast-grep scan -r FILE -U` would apply them: all of them look at the
 * file as it was; where two want the same text the outer match wins, then the rule whose id sorts first.
 */
export function compileRules(recipe: RuleRecipe): CompiledRecipe {
  const rules = recipe.rules
    .map((document, index) => readRule(document, refusal(recipe.file, document.id, index)))
    .filter((rule) => rule !== undefined);
  if (rules.length === 0) {
    throw new Fault("rule", `${recipe.file}: no rule in it is on`, {
      remedy: "add a rule with `id`, `language`, `rule` and `fix`",
    });
  }
  const about = (path: string) => rules.filter((rule) => rule.language === languageOf(path) && rule.isAbout(path));
  return {
    name: recipe.file,
    covers: (path) => about(path).length > 0,
    rewrite: (file) => {
      const source = readSource(file);
      if ("skipped" in source) return { edits: [], leftovers: [], skipped: source.skipped };
      const chosen = about(file.path);
      if (chosen.length === 0) return { edits: [], leftovers: [], skipped: "no rule is about this path" };
      const likely = chosen.filter((rule) => mayMatch(rule, source.text));
      return likely.length === 0 ? { edits: [], leftovers: [] } : applyRules(source, likely);
    },
  };
}

function refusal(file: string, id: unknown, index: number) {
  const name = typeof id === "string" ? ` (${id})` : "";
  return (place: string, reason: string, remedy: string) =>
    new Fault("rule", `${file}, rule ${index + 1}${name}, ${place}: ${reason}`, { remedy });
}

function mayMatch(rule: RuleDocument, text: string): boolean {
  return rule.words.some((words) => words.values().every((word) => text.includes(word)));
}

interface Found {
  rule: RuleDocument;
  node: SgNode;
  start: number;
  end: number;
}

function applyRules(source: SourceText, rules: readonly RuleDocument[]) {
  const root = parse(source.language, source.text).root();
  const found = rules.flatMap((rule) =>
    root.findAll(rule.matcher).map((node): Found => {
      const { start, end } = node.range();
      return { rule, node, start: start.index, end: end.index };
    }),
  );
  if (rules.length > 1) found.sort(inReadingOrder);
  const suppressed = suppressionsIn(root, source.text);
  const matches = found.map((one) => toMatch(one, source, suppressed));
  return selectMatches(source, matches, errorZonesOf(root));
}

/** Outer before inner, as a walk of the tree meets them; at one node by rule id. */
function inReadingOrder(one: Found, other: Found): number {
  const apart = one.start - other.start || other.end - one.end;
  if (apart !== 0 || one.rule === other.rule) return apart;
  const deeper = one.node.ancestors().length - other.node.ancestors().length;
  return deeper || (one.rule.id < other.rule.id ? -1 : 1);
}

function toMatch({ rule, node, start, end }: Found, source: SourceText, suppressed: Suppressed): Match {
  const place = node.range().start;
  const isLeft = suppressed(place.line, rule.id);
  return {
    node: { start, end, place },
    start: edgeOf(rule.expandStart, rule, node, "prev")?.range().start.index ?? start,
    end: edgeOf(rule.expandEnd, rule, node, "next")?.range().end.index ?? end,
    text: isLeft ? "" : expandTemplate(rule.template, node, source.text),
    label: rule.id,
    ...(isLeft ? { refused: "left alone by an ast-grep-ignore comment" } : {}),
  };
}

/** The sibling up to which a replacement reaches, if its rule finds one before it has to stop. */
function edgeOf(
  expansion: Expansion | undefined,
  rule: RuleDocument,
  node: SgNode,
  side: "prev" | "next",
): SgNode | undefined {
  if (!expansion) return undefined;
  const utils = rule.matcher.utils ? { utils: rule.matcher.utils } : {};
  for (const sibling of side === "prev" ? node.prevAll() : node.nextAll()) {
    if (sibling.matches({ rule: expansion.rule, ...utils })) return sibling;
    if (expansion.stopBy === "neighbor") return undefined;
    if (expansion.stopBy !== "end" && sibling.matches({ rule: expansion.stopBy, ...utils })) return undefined;
  }
  return undefined;
}
