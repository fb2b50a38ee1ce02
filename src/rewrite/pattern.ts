import { parse, type SgNode } from "@ast-grep/napi";
import type { Variable } from "./fix-template.ts";
import { expandoOf } from "./grammars.ts";
import type { Language } from "./source-text.ts";

/**
 * ast-grep takes a pattern with a syntax error without a word and then matches nothing.
 * Here such a pattern is refused, with the place.
 */
export interface Pattern {
  variables: Variable[];
  /** Words that a file must hold for the pattern to match anywhere in it. */
  words: string[];
  /** A lone variable: it would match every node there is. */
  isAnything: boolean;
  /** What ast-grep is to be given so that it finds what the pattern says. */
  matcher: string | { context: string; selector: string };
}

/** What a pattern asks for, or in words why it cannot be used in `language`. */
export function readPattern(language: Language, pattern: string): Pattern | { problem: string } {
  if (pattern.trim() === "") return { problem: "the pattern is empty" };
  const root = parse(language, asCode(language, pattern)).root();
  const syntax = syntaxProblem(root);
  const problem = syntax !== undefined && !isCompleteAnyway(language, pattern) ? syntax : vendorProblem(root, pattern);
  if (problem !== undefined) return { problem };
  const kinds = leafKinds[language].map((kind) => ({ kind }));
  const leaves = root.findAll({ rule: { any: kinds } }).map((leaf) => leaf.text());
  const variable = asCode(language, "$A").slice(0, -1);
  return {
    variables: variablesIn(pattern),
    words: leaves.filter((leaf) => !isVariable(leaf.replaceAll(variable, "$"))),
    isAnything: isVariable(pattern.trim()),
    matcher: matcherOf(language, pattern, root),
  };
}

const scriptKinds = ["identifier", "property_identifier", "string_fragment"];

/** Kinds whose text a pattern compares letter by letter. */
const leafKinds: Readonly<Record<Language, readonly string[]>> = {
  JavaScript: scriptKinds,
  TypeScript: scriptKinds,
  Tsx: scriptKinds,
  Python: ["identifier"],
  Go: ["identifier", "field_identifier", "type_identifier", "package_identifier"],
  Rust: ["identifier", "field_identifier", "type_identifier"],
  Java: ["identifier", "type_identifier"],
};

/** A pattern as ast-grep lets the grammar read it: where `$` is no part of a name, another sign begins its variables. */
function asCode(language: Language, pattern: string): string {
  const expando = expandoOf(language) ?? "$";
  if (expando === "$") return pattern;
  return pattern.replaceAll(/(\$+)([A-Z_]?)/g, (whole, dollars: string, next: string) =>
    next !== "" || dollars.length === 3 ? expando.repeat(dollars.length) + next : whole,
  );
}

/** Alone, Go's grammar takes `fmt.Println(x)` for a conversion to a type; inside of a function it is a call. */
function matcherOf(language: Language, pattern: string, root: SgNode): Pattern["matcher"] {
  if (language !== "Go" || !isTakenForConversion(root)) return pattern;
  return { context: `func _() { ${pattern} }`, selector: "call_expression" };
}

/** Whether the pattern as a whole is `a.b(...)`, read as a conversion. */
function isTakenForConversion(root: SgNode): boolean {
  const [statement, ...more] = root.children();
  const [expression] = statement?.kind() === "expression_statement" ? statement.children() : [];
  return more.length === 0 && expression?.kind() === "type_conversion_expression";
}

function isVariable(text: string): boolean {
  return /^\${1,3}([A-Z_][A-Z0-9_]*)?$/.test(text);
}

/** The names a pattern binds; `$_` and `$$$` bind nothing. */
export function variablesIn(pattern: string): Variable[] {
  return [...pattern.matchAll(/(\${1,3})([A-Z][A-Z0-9_]*)(?![A-Za-z0-9_$])/g)].map(([, dollars, name = ""]) => ({
    name,
    isMany: dollars === "$$$",
  }));
}

/** Variables of a pattern that are tried as strings, since each doubles the work. */
const mostStrings = 4;

/**
 * `import $A from $B` is no program, since a variable reads as a name; yet ast-grep matches it, and people write it.
 * So a pattern also counts as complete code when it is with some of its variables standing for strings.
 */
function isCompleteAnyway(language: Language, pattern: string): boolean {
  const places = [...pattern.matchAll(/(?<![$\w])\$[A-Z_][A-Z0-9_]*(?![A-Za-z0-9_$])/g)].slice(0, mostStrings);
  for (let choice = 1; choice < 2 ** places.length; choice++) {
    let at = 0;
    const chosen = places.filter((_, index) => choice & (1 << index));
    const pieces = chosen.map((place) => {
      const before = pattern.slice(at, place.index);
      at = place.index + place[0].length;
      return `${before}"s"`;
    });
    const code = asCode(language, pieces.join("") + pattern.slice(at));
    if (syntaxProblem(parse(language, code).root()) === undefined) return true;
  }
  return false;
}

/** Where the text first leaves the grammar: an unreadable stretch, or a token the parser had to make up. */
function syntaxProblem(root: SgNode): string | undefined {
  const [unread] = root.findAll({ rule: { kind: "ERROR" } });
  if (unread) {
    const { line, column } = unread.range().start;
    return `syntax error at line ${line + 1}, column ${column + 1}, near \`${unread.text().slice(0, 40)}\``;
  }
  const missing = root.findAll({ rule: { regex: "^$" } }).find((node) => node.isLeaf() && !isLastSemicolon(node, root));
  if (!missing) return undefined;
  const { line, column } = missing.range().start;
  return `syntax error at line ${line + 1}, column ${column + 1}: \`${missing.kind()}\` is missing`;
}

/** `foo($A)` is an expression in Rust and Java too, though a program would need a semicolon after it. */
function isLastSemicolon(node: SgNode, root: SgNode): boolean {
  return node.kind() === ";" && node.range().start.index === root.range().end.index;
}

function vendorProblem(root: SgNode, pattern: string): string | undefined {
  try {
    root.find({ rule: { pattern } });
    return undefined;
  } catch (cause) {
    return vendorReason(cause);
  }
}

/** What ast-grep says about a rule, on one line. */
export function vendorReason(cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause);
  return said
    .split(/\n\s*\|->/)
    .map((line) => line.trim())
    .join(" ")
    .replaceAll(/\s*\n\s*/g, " ");
}
