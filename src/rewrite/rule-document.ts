import { type FixTemplate, parseTemplate } from "./fix-template.ts";
import { isLoaded } from "./grammars.ts";
import { type Expansion, expansion, fixOf, refuseUnbound } from "./rule-fix.ts";
import { type Matcher, matcherOf, type Refuse, variablesBound } from "./rule-matcher.ts";
import { pathTest } from "./rule-paths.ts";
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

/** Reads one document, or undefined when its severity is `off`. Throws Fault `rule`. */
export function readRule(document: Readonly<Record<string, unknown>>, refuse: Refuse): RuleDocument | undefined {
  refuseKeys(document, refuse);
  const language = languageNamed(document.language, refuse);
  if (document.severity === "off" && !isLoaded(language)) return undefined;
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
  python: "Python",
  py: "Python",
  go: "Go",
  golang: "Go",
  rust: "Rust",
  rs: "Rust",
  java: "Java",
};

/** The languages that the documents of a rule file name, as far as they are names of languages. */
export function languagesNamed(documents: readonly Readonly<Record<string, unknown>>[]): Language[] {
  return documents.flatMap(({ language, severity }) => {
    const named = severity === "off" ? undefined : languageCalled(language);
    return named ? [named] : [];
  });
}

function languageCalled(written: unknown): Language | undefined {
  const name = typeof written === "string" ? written.toLowerCase() : "";
  return Object.hasOwn(languageNames, name) ? languageNames[name] : undefined;
}

function languageNamed(written: unknown, refuse: Refuse): Language {
  const language = languageCalled(written);
  if (language) return language;
  const reason = written === undefined ? "missing" : `${JSON.stringify(written)} is not built yet`;
  throw refuse("language", reason, "use JavaScript, TypeScript, Tsx, Python, Go, Rust or Java");
}
