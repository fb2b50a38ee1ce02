import { parse } from "@ast-grep/napi";
import type { Fault } from "../protocol/failure.ts";
import { type FixTemplate, parseTemplate, type Variable, variablesOf } from "./fix-template.ts";
import { compileGlob } from "./path-glob.ts";
import { readPattern, variablesIn, vendorReason } from "./pattern.ts";
import { isRecord, shapeOf } from "./rule-shape.ts";
import type { Language } from "./source-text.ts";

/**
 * One document of an ast-grep rule file, checked. What this build cannot do as ast-grep does it is refused here,
 * never ignored.
 */
export interface RuleDocument {
  id: string;
  language: Language;
  /** What ast-grep's library takes. */
  matcher: Matcher;
  template: FixTemplate;
  expandStart?: Expansion;
  expandEnd?: Expansion;
  /** Whether `files` and `ignores` let it look at this path. */
  isAbout(path: string): boolean;
  /** Ways it can match; in each a file must hold all of these words. */
  words: ReadonlyArray<ReadonlySet<string>>;
}

export interface Matcher {
  rule: Readonly<Record<string, unknown>>;
  constraints?: Record<string, Record<string, unknown>>;
  utils?: Record<string, Record<string, unknown>>;
  transform?: unknown;
}

/** How far a replacement reaches beyond its match: over the sibling that `rule` finds. */
export interface Expansion {
  rule: Readonly<Record<string, unknown>>;
  stopBy: "neighbor" | "end" | Readonly<Record<string, unknown>>;
}

/** Says where in the file something is wrong. */
export type Refuse = (place: string, reason: string, remedy: string) => Fault;

/** Reads one document, or undefined when its severity is `off`. Throws Fault `rule`. */
export function readRule(document: Readonly<Record<string, unknown>>, refuse: Refuse): RuleDocument | undefined {
  refuseKeys(document, refuse);
  const language = languageNamed(document.language, refuse);
  const matcher = matcherOf(document, language, refuse);
  const fix = fixOf(document.fix, refuse);
  const transformed = new Set(isRecord(document.transform) ? Object.keys(document.transform) : []);
  const template = parseTemplate(fix.template, transformed);
  refuseUnbound(template, variablesBound(matcher), refuse);
  const expansions = {
    ...expansion("expandStart", fix.expandStart, matcher, language, refuse),
    ...expansion("expandEnd", fix.expandEnd, matcher, language, refuse),
  };
  if (document.severity === "off") return undefined;
  const shape = shapeOf(matcher.rule, { language, utils: matcher.utils ?? {}, open: new Set() });
  if (!shape.hasKinds) {
    throw refuse("rule", "it does not say which kinds of nodes it is about", "add a `kind` or a `pattern` beside it");
  }
  const isAbout = pathTest(document, refuse);
  return { id: String(document.id), language, matcher, template, ...expansions, isAbout, words: shape.words };
}

const knownKeys = new Set(
  "id language rule constraints utils transform fix message note severity labels files ignores url metadata".split(" "),
);

function refuseKeys(document: Readonly<Record<string, unknown>>, refuse: Refuse): void {
  for (const key of Object.keys(document)) {
    if (key === "rewriters")
      throw refuse(key, "rewriters are not built yet", "write the rewriters as rules of their own");
    if (!knownKeys.has(key)) throw refuse(key, "no such key", `the keys are ${[...knownKeys].join(", ")}`);
  }
  if (typeof document.id !== "string" || document.id === "") throw refuse("id", "missing", "give the rule a name");
  if (!isRecord(document.rule)) throw refuse("rule", "missing or not an object", "say what to match");
  if (document.fix === undefined || document.fix === null) {
    throw refuse("fix", "it finds but does not fix", "add a `fix`; to forbid what it finds use a check");
  }
}

const languageNames: Readonly<Record<string, Language>> = {
  js: "JavaScript",
  jsx: "JavaScript",
  javascript: "JavaScript",
  ts: "TypeScript",
  typescript: "TypeScript",
  tsx: "Tsx",
};

function languageNamed(written: unknown, refuse: Refuse): Language {
  const name = typeof written === "string" ? written.toLowerCase() : "";
  const language = Object.hasOwn(languageNames, name) ? languageNames[name] : undefined;
  if (language) return language;
  const reason = written === undefined ? "missing" : `${JSON.stringify(written)} is not built yet`;
  throw refuse("language", reason, "use JavaScript, TypeScript or Tsx");
}

function matcherOf(document: Readonly<Record<string, unknown>>, language: Language, refuse: Refuse): Matcher {
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

function recordOf(value: unknown, key: string, refuse: Refuse): Record<string, unknown> {
  if (isRecord(value)) return { ...value };
  throw refuse(key, "not an object", "see https://ast-grep.github.io/reference/rule.html");
}

function rulesByName(value: unknown, key: string, refuse: Refuse): Record<string, Record<string, unknown>> {
  const rules = Object.entries(recordOf(value, key, refuse));
  return Object.fromEntries(rules.map(([name, rule]) => [name, recordOf(rule, `${key}.${name}`, refuse)]));
}

function refuseBrokenPatterns(rules: unknown, language: Language, refuse: Refuse): void {
  for (const pattern of patternsIn(rules)) {
    const read = readPattern(language, pattern);
    if (!("problem" in read)) continue;
    throw refuse(
      `pattern \`${pattern}\``,
      read.problem,
      "write the pattern as complete code, or use `context` and `selector`",
    );
  }
}

/** Whether ast-grep itself takes it: unknown kinds, regexes that do not compile, utilities that do not exist. */
function refuseUncompilable(matcher: Matcher, language: Language, refuse: Refuse): void {
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

function variablesBound({ rule, constraints, utils }: Matcher): Variable[] {
  const texts = [...patternsIn([rule, constraints, utils]), ...contextsIn([rule, constraints, utils])];
  return texts.flatMap(variablesIn);
}

function contextsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(contextsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "context" && typeof inner === "string" ? [inner] : contextsIn(inner),
  );
}

function refuseUnbound(template: FixTemplate, bound: readonly Variable[], refuse: Refuse): void {
  for (const { name, isMany } of variablesOf(template)) {
    if (bound.some((variable) => variable.name === name && variable.isMany === isMany)) continue;
    const written = `${isMany ? "$$$" : "$"}${name}`;
    throw refuse("fix", `it uses ${written}, which the rule does not bind`, `bind ${written} in a pattern, or drop it`);
  }
}

interface Fix {
  template: string;
  expandStart?: unknown;
  expandEnd?: unknown;
}

/** `fix` as a text, an object, or a list of alternatives, of which ast-grep applies the first. */
function fixOf(written: unknown, refuse: Refuse): Fix {
  const fix = Array.isArray(written) ? written[0] : written;
  if (typeof fix === "string") return { template: fix };
  if (!isRecord(fix) || typeof fix.template !== "string") {
    throw refuse("fix", "neither a text nor an object with a `template`", "write the replacement as a text");
  }
  const unknown = Object.keys(fix).find((key) => !["template", "title", "expandStart", "expandEnd"].includes(key));
  if (unknown) throw refuse(`fix.${unknown}`, "no such key", "the keys are template, title, expandStart, expandEnd");
  return { template: fix.template, expandStart: fix.expandStart, expandEnd: fix.expandEnd };
}

function expansion(
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
  const shared = [...patternsIn(written), ...contextsIn(written)]
    .flatMap(variablesIn)
    .find((variable) => bound.has(variable.name));
  if (!shared) return;
  throw refuse(
    `fix.${key}`,
    `it uses $${shared.name} of the match, which is not built yet`,
    "match it without the variable",
  );
}

function pathTest(document: Readonly<Record<string, unknown>>, refuse: Refuse): (path: string) => boolean {
  const files = globsOf(document.files, "files", refuse);
  const ignores = globsOf(document.ignores, "ignores", refuse) ?? [];
  return (path) => !ignores.some((test) => test(path)) && (files === undefined || files.some((test) => test(path)));
}

function globsOf(written: unknown, key: string, refuse: Refuse): ((path: string) => boolean)[] | undefined {
  if (written == null) return undefined;
  if (!Array.isArray(written)) throw refuse(key, "not a list", "write a list of globs");
  return written.map((one) => {
    const glob = isRecord(one) ? one.glob : one;
    if (typeof glob !== "string") throw refuse(key, "a glob is not a text", "write a list of globs");
    try {
      return compileGlob(glob, isRecord(one) && one.caseInsensitive === true);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw refuse(key, `the glob \`${glob}\` does not compile: ${reason}`, "see https://docs.rs/globset#syntax");
    }
  });
}
