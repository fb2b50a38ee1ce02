import { parse } from "@ast-grep/napi";
import type { Fault } from "../protocol/failure.ts";
import type { Variable } from "./fix-template.ts";
import { readPattern, variablesIn, vendorReason } from "./pattern.ts";
import { isRecord, recordOf } from "./rule-shape.ts";
import type { Language } from "./source-text.ts";

/** What ast-grep's library takes of a rule. It ignores keys it does not know, so nothing else may reach it. */
export interface Matcher {
  rule: Readonly<Record<string, unknown>>;
  constraints?: Record<string, Record<string, unknown>>;
  utils?: Record<string, Record<string, unknown>>;
  transform?: unknown;
}

/** Says where in the file something is wrong. */
export type Refuse = (place: string, reason: string, remedy: string) => Fault;

/** What to match, checked as far as it can be without a file. Throws Fault `rule`. */
export function matcherOf(document: Readonly<Record<string, unknown>>, language: Language, refuse: Refuse): Matcher {
  const matcher = {
    rule: recordOf(document.rule, "rule", refuse),
    ...(document.constraints == null ? {} : { constraints: rulesByName(document.constraints, "constraints", refuse) }),
    ...(document.utils == null ? {} : { utils: rulesByName(document.utils, "utils", refuse) }),
    ...(document.transform == null ? {} : { transform: document.transform }),
  };
  if (JSON.stringify(matcher.transform ?? null).includes('"rewrite"')) {
    throw refuse("transform", "`rewrite` needs rewriters, which are not built yet", "write it as a rule of its own");
  }
  refuseBrokenPatterns(matcher, language, refuse);
  refuseUncompilable(matcher, language, refuse);
  return matcher;
}

function rulesByName(value: unknown, key: string, refuse: Refuse): Record<string, Record<string, unknown>> {
  const rules = Object.entries(recordOf(value, key, refuse));
  return Object.fromEntries(rules.map(([name, rule]) => [name, recordOf(rule, `${key}.${name}`, refuse)]));
}

export function refuseBrokenPatterns(rules: unknown, language: Language, refuse: Refuse): void {
  for (const pattern of patternsIn(rules)) {
    const read = readPattern(language, pattern);
    const place = `pattern \`${pattern}\``;
    if ("problem" in read) {
      throw refuse(place, read.problem, "write the pattern as complete code, or use `context` and `selector`");
    }
    if (typeof read.matcher === "string") continue;
    const { context, selector } = read.matcher;
    const remedy = `write pattern: { context: '${context}', selector: ${selector} }`;
    throw refuse(place, "alone it is a conversion to a type, which no call in a function is", remedy);
  }
}

/** Whether ast-grep itself takes it: unknown kinds, regexes that do not compile, utilities that do not exist. */
export function refuseUncompilable(matcher: Matcher, language: Language, refuse: Refuse): void {
  try {
    parse(language, "").root().find(matcher);
  } catch (cause) {
    throw refuse("rule", vendorReason(cause), "see https://ast-grep.github.io/reference/rule.html");
  }
}

/** Every pattern text at any depth, but for contexts, which may be incomplete code. */
function patternsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(patternsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "pattern" && typeof inner === "string" ? [inner] : patternsIn(inner),
  );
}

/** The names a rule binds; ast-grep counts those of its utilities and constraints too. */
export function variablesBound({ rule, constraints, utils }: Matcher): Variable[] {
  return variablesWithin([rule, constraints, utils]);
}

/** The names that patterns at any depth bind. */
export function variablesWithin(rules: unknown): Variable[] {
  return [...patternsIn(rules), ...contextsIn(rules)].flatMap(variablesIn);
}

function contextsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(contextsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "context" && typeof inner === "string" ? [inner] : contextsIn(inner),
  );
}
