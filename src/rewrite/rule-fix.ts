import { type FixTemplate, type Variable, variablesOf } from "./fix-template.ts";
import {
  type Matcher,
  type Refuse,
  refuseBrokenPatterns,
  refuseUncompilable,
  variablesBound,
  variablesWithin,
} from "./rule-matcher.ts";
import { isRecord, recordOf } from "./rule-shape.ts";
import type { Language } from "./source-text.ts";

/** How far a replacement reaches beyond its match: over the sibling that `rule` finds. */
export interface Expansion {
  rule: Readonly<Record<string, unknown>>;
  stopBy: "neighbor" | "end" | Readonly<Record<string, unknown>>;
}

export interface Fix {
  template: string;
  expandStart?: unknown;
  expandEnd?: unknown;
}

/** `fix` as a text, an object, or a list of alternatives, of which ast-grep applies the first. */
export function fixOf(written: unknown, refuse: Refuse): Fix {
  const fix = Array.isArray(written) ? written[0] : written;
  if (typeof fix === "string") return { template: fix };
  if (!isRecord(fix) || typeof fix.template !== "string") {
    throw refuse("fix", "neither a text nor an object with a `template`", "write the replacement as a text");
  }
  const unknown = Object.keys(fix).find((key) => !["template", "title", "expandStart", "expandEnd"].includes(key));
  if (unknown) throw refuse(`fix.${unknown}`, "no such key", "the keys are template, title, expandStart, expandEnd");
  return { template: fix.template, expandStart: fix.expandStart, expandEnd: fix.expandEnd };
}

export function expansion(
  key: "expandStart" | "expandEnd",
  written: unknown,
  matcher: Matcher,
  language: Language,
  refuse: Refuse,
): { [at in "expandStart" | "expandEnd"]?: Expansion } {
  if (written == null) return {};
  const { stopBy = "neighbor", ...rule } = recordOf(written, `fix.${key}`, refuse);
  if (stopBy !== "neighbor" && stopBy !== "end" && !isRecord(stopBy)) {
    throw refuse(
      `fix.${key}.stopBy`,
      "neither `neighbor`, `end` nor a rule",
      "see https://ast-grep.github.io/reference/yaml/fix.html",
    );
  }
  const utils = matcher.utils ? { utils: matcher.utils } : {};
  refuseBrokenPatterns([rule, stopBy], language, refuse);
  for (const part of isRecord(stopBy) ? [rule, stopBy] : [rule])
    refuseUncompilable({ rule: part, ...utils }, language, refuse);
  refuseShared(key, { rule, stopBy }, matcher, refuse);
  return { [key]: { rule, stopBy } };
}

/** A variable bound by the match cannot be handed to the library's test of a sibling. */
function refuseShared(key: string, written: Expansion, matcher: Matcher, refuse: Refuse): void {
  const bound = new Set(variablesBound(matcher).map((variable) => variable.name));
  const shared = variablesWithin(written).find((variable) => bound.has(variable.name));
  if (!shared) return;
  throw refuse(
    `fix.${key}`,
    `it uses $${shared.name} of the match, which is not built yet`,
    "match it without the variable",
  );
}

export function refuseUnbound(template: FixTemplate, bound: readonly Variable[], refuse: Refuse): void {
  for (const { name, isMany } of variablesOf(template)) {
    if (bound.some((variable) => variable.name === name && variable.isMany === isMany)) continue;
    const written = `${isMany ? "$$$" : "$"}${name}`;
    throw refuse("fix", `it uses ${written}, which the rule does not bind`, `bind ${written} in a pattern, or drop it`);
  }
}
