import { parse, type SgNode } from "@ast-grep/napi";
import { builtinModules } from "./builtin-modules.ts";
import type { CompiledRecipe, FileRewrite } from "./compiled-recipe.ts";
import { argumentsOf, calleeOf, firstArgument, type GivenNames } from "./module-call.ts";
import { type StubKey, stubsOf } from "./module-stubs.ts";
import { type Match, selectMatches } from "./select-matches.ts";
import { isShadowed, shadowScopes } from "./shadowed-require.ts";
import { readSource, type SourceText, scriptLanguageOf } from "./source-text.ts";
import { type Candidates, findCandidates, ruleForTokens, type Token } from "./specifier-candidates.ts";
import { zoneOf } from "./syntax-error.ts";
import { veilTypeImports } from "./type-imports.ts";
import { couldNameBuiltin } from "./unknown-specifier.ts";

/**
 * `fs` becomes `node:fs` wherever a name is certainly resolved as a module by Node, or by a test tool that must
 * agree with it. Plain strings that merely look like one are never touched.
 */
export const nodeProtocol: CompiledRecipe = {
  name: "node-protocol",
  covers: (path) => scriptLanguageOf(path) !== undefined,
  rewrite: (file) => {
    const source = readSource(file);
    if ("skipped" in source) return { edits: [], leftovers: [], skipped: source.skipped };
    const candidates = findCandidates(source.text);
    return candidates ? rewriteCandidates(source, candidates) : { edits: [], leftovers: [] };
  },
};

function rewriteCandidates(source: SourceText, candidates: Candidates): FileRewrite {
  const { literals, dynamic, stubs, requires, bindings } = candidates;
  const veiled = source.language === "JavaScript" ? { text: source.text, imports: [] } : veilTypeImports(source.text);
  const typeImports = veiled.imports.filter(({ name }) => builtinModules.has(source.text.slice(name.start, name.end)));
  const names = [...dynamic, ...stubs.keyed, ...stubs.cached, ...bindings, ...typeImports.map(({ token }) => token)];
  const nodes = parse(source.language, veiled.text)
    .root()
    .findAll({ rule: { any: [{ kind: "ERROR" }, ...tokenRules(source.text, literals, names)] } });
  const byKind = Map.groupBy(nodes, (node) => (node.kind() === "ERROR" ? "error" : "token"));
  const tokens = new Map((byKind.get("token") ?? []).map((node) => [node.range().start.index, node]));
  const at = (places: readonly Token[]) => places.flatMap(({ start }) => tokens.get(start) ?? []);
  const context: Context = {
    shadows: shadowScopes(at(bindings)),
    mockRequires: stubs.named,
    requires,
    aliases: stubs.aliases,
  };
  const matches = [
    ...at(literals).flatMap((node) => specifierMatch(node, context)),
    ...typeImports.flatMap(({ token, name }) => at([token]).map((node) => prefixMatch(node, name.start))),
    ...at(dynamic).flatMap((node) => dynamicMatch(node, context)),
    ...at(stubs.keyed).flatMap((node) => stubMatches(node)),
    ...at(stubs.cached).flatMap((node) => stubMatches(node, cachedReason)),
  ];
  return selectMatches(source, inOrder(matches), (byKind.get("error") ?? []).map(zoneOf));
}

/** What the rest of the file says about a call in it. */
interface Context extends GivenNames {
  shadows: readonly Token[];
}

const cachedReason = "require-inject works through require.cache, which a name with the prefix goes around";

function tokenRules(text: string, literals: readonly Token[], names: readonly Token[]) {
  return [
    ruleForTokens(text, ["string", "template_string"], literals),
    ruleForTokens(text, ["identifier", "import", "shorthand_property_identifier_pattern"], names),
  ];
}

/** By place, and one for each place: a name in an import and in a key is the same edit. */
function inOrder(matches: readonly Match[]): Match[] {
  const byStart = new Map(matches.map((match) => [match.start, match]));
  return [...byStart.values()].sort((one, other) => one.start - other.start);
}

type Verdict = { site: SgNode; refused?: string } | undefined;

function specifierMatch(literal: SgNode, context: Context): Match[] {
  const verdict = judge(literal, context);
  return verdict ? [prefixMatch(verdict.site, literal.range().start.index + 1, verdict.refused)] : [];
}

function prefixMatch(site: SgNode, start: number, refused?: string): Match {
  return match(site, { start, end: start, text: "node:" }, refused);
}

/** What a quoted name is used for: a module to resolve, one that must stay, or (undefined) something else. */
function judge(literal: SgNode, context: Context): Verdict {
  const parent = literal.parent();
  switch (String(parent?.kind())) {
    case "import_statement":
    case "export_statement":
    case "import_require_clause":
      return parent ? { site: parent } : undefined;
    case "module":
      return {
        site: literal,
        refused: "declares this module for TypeScript; it must change together with all its uses",
      };
    case "arguments":
      return parent ? judgeArgument(literal, parent, context) : undefined;
    case "array":
      return parent ? judgeListed(parent) : undefined;
    default:
      return undefined;
  }
}

function judgeArgument(literal: SgNode, list: SgNode, context: Context): Verdict {
  const call = list.parent();
  if (call?.kind() !== "call_expression" || firstArgument(list)?.id() !== literal.id()) return undefined;
  const callee = calleeOf(call, context);
  if (callee === "other") return undefined;
  if (callee === "require" && isShadowed(context.shadows, call.range().start.index)) {
    return { site: call, refused: "`require` is a local name here, not Node's" };
  }
  return { site: call };
}

/** `mockery.registerAllowables(["fs", "path"])` */
function judgeListed(array: SgNode): Verdict {
  const call = array.parent()?.parent();
  const isList = call?.kind() === "call_expression" && /Allowables$/.test(call.field("function")?.text() ?? "");
  return call && isList && calleeOf(call) === "mock" ? { site: call } : undefined;
}

/** `require(name)`: nobody can tell here which module that is. */
function dynamicMatch(name: SgNode, { shadows }: Context): Match[] {
  const start = name.range().start.index;
  const call = callBegunBy(name);
  if (!call || call.range().start.index !== start || isShadowed(shadows, start)) return [];
  const callee = calleeOf(call);
  if (callee !== "module" && callee !== "require") return [];
  const [argument] = argumentsOf(call);
  if (!argument || !couldNameBuiltin(argument)) return [];
  return [match(call, { start, end: start, text: "" }, "not a literal")];
}

/** The call whose callee begins with this name: `import` lies two deep, `require.resolve` too. */
function callBegunBy(name: SgNode): SgNode | undefined {
  let node = name.parent();
  for (let steps = 0; node && steps < 2 && node.kind() !== "call_expression"; steps++) node = node.parent();
  return node?.kind() === "call_expression" ? node : undefined;
}

/** The keys to rename, or, where that would not help for the reason `refused`, to list. */
function stubMatches(name: SgNode, refused?: string): Match[] {
  const stubs = stubsOf(name);
  if (!stubs) return [];
  const unseen = stubs.unseen.map(({ node, reason }) => {
    const start = node.range().start.index;
    return match(node, { start, end: start, text: "" }, reason);
  });
  return [...stubs.keys.map((key) => renameKey(key, stubs.quote, refused)), ...unseen];
}

function renameKey({ node, name, form }: StubKey, quote: string, refused?: string): Match {
  const { start, end } = node.range();
  if (form === "string") return prefixMatch(node, start.index + 1, refused);
  const key = `${quote}node:${name}${quote}`;
  const text = form === "shorthand" ? `${key}: ${name}` : key;
  return match(node, { start: start.index, end: end.index, text }, refused);
}

function match(site: SgNode, splice: { start: number; end: number; text: string }, refused?: string): Match {
  const { start, end } = site.range();
  const node = { start: start.index, end: end.index, place: start };
  return { ...splice, node, label: "node-protocol", ...(refused ? { refused } : {}) };
}
