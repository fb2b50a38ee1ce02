import { builtinModules } from "./builtin-modules.ts";
import { placesIn } from "./place.ts";
import { findStubTools, type StubTools } from "./stub-tools.ts";

/**
 * A cheap look at the bare text, so that most files are never parsed. It only says where a specifier could be:
 * comments and strings deceive it, and the tree has the last word.
 */
export interface Candidates {
  /** Quoted names of built-in modules, quotes included. */
  literals: Token[];
  /** `require` and `import` whose first argument is not a plain string. */
  dynamic: Token[];
  stubs: StubTools;
  /** The names for what `createRequire` made. */
  requires: ReadonlySet<string>;
  /** `require` where it may be a binding rather than a call. */
  bindings: Token[];
}

/** A stretch of the text in UTF-16 units. */
export interface Token {
  start: number;
  end: number;
}

const literal = /(["'`])([a-z_][a-z0-9_/]{1,24})\1/g;
const dynamic = /\b(require)(?:\s*\.\s*resolve)?\s*(?:\?\.\s*)?\(\s*(?!\s|\)|(["'])[^"'\\\n]*\2\s*[,)])/g;
const dynamicImport = /\b(import)\s*\(\s*(?!\s|\)|(["'])[^"'\\\n]*\2\s*[,)])/g;
const createdRequire =
  /(?<![\w$.])([A-Za-z_$][\w$]*)\s*=\s*(?:[A-Za-z_$][\w$]*\.)?createRequire\s*\([^()]*(?:\([^()]*\)[^()]*)*\)(?!\s*[.(])/g;
const binding = /\bfunction\s+(require)\b|\b(require)\b(?!\s*(?:[.(]|\?\.))/g;

/** What is worth a parse in this text, or undefined when nothing is. */
export function findCandidates(text: string): Candidates | undefined {
  const literals: Token[] = [];
  for (const found of text.matchAll(literal)) {
    if (builtinModules.has(found[2] ?? "")) literals.push({ start: found.index, end: found.index + found[0].length });
  }
  const calls = [...tokensOf(text, dynamic, "require"), ...tokensOf(text, dynamicImport, "import")];
  const stubs = findStubTools(text);
  if (literals.length + calls.length + stubs.keyed.length + stubs.cached.length === 0) return undefined;
  const requires = new Set([...text.matchAll(createdRequire)].map(([, name = "require"]) => name));
  return { literals, dynamic: calls, stubs, requires, bindings: tokensOf(text, binding, "require") };
}

function tokensOf(text: string, expression: RegExp, word: string): Token[] {
  if (!text.includes(word)) return [];
  return [...text.matchAll(expression)].map((found) => {
    const start = found.index + found[0].indexOf(word);
    return { start, end: start + word.length };
  });
}

/** Above this many, telling each node from each token costs more than looking at every node of the kinds. */
const mostRanges = 500;

/** An ast-grep rule that finds the nodes of these kinds which are exactly these tokens, or more nodes than that. */
export function ruleForTokens(text: string, kinds: readonly string[], tokens: readonly Token[]) {
  const ofKind = { any: kinds.map((kind) => ({ kind })) };
  if (tokens.length > mostRanges) return ofKind;
  const placeOf = placesIn(text);
  const sorted = [...tokens].sort((one, other) => one.start - other.start);
  const ranges = sorted.map(({ start, end }) => {
    const place = placeOf(start);
    return { range: { start: place, end: { line: place.line, column: place.column + end - start } } };
  });
  return { all: [ofKind, { any: ranges }] };
}
