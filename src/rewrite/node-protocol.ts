import { parse, type SgNode } from "@ast-grep/napi";
import type { CompiledRecipe, FileRewrite } from "./compiled-recipe.ts";
import { argumentsOf, calleeOf, firstArgument, isInMisreadGenericMock } from "./module-call.ts";
import { type StubKey, stubsOf } from "./proxyquire-stubs.ts";
import { type Match, selectMatches } from "./select-matches.ts";
import { isShadowed, shadowScopes } from "./shadowed-require.ts";
import { languageOf, readSource, type SourceText } from "./source-text.ts";
import { type Candidates, findCandidates, ruleForTokens, type Token } from "./specifier-candidates.ts";
import { zoneOf } from "./syntax-error.ts";
import { couldNameBuiltin } from "./unknown-specifier.ts";

/**
 * `fs` becomes `node:fs` wherever a name is certainly resolved as a module by Node, or by a test tool that must
 * agree with it. Plain strings that merely look like one are never touched.
 */
export const nodeProtocol: CompiledRecipe = {
  name: "node-protocol",
  covers: (path) => languageOf(path) !== undefined,
  rewrite: (file) => {
    const source = readSource(file);
    if ("skipped" in source) return { edits: [], leftovers: [], skipped: source.skipped };
    const candidates = findCandidates(source.text);
    return candidates ? rewriteCandidates(source, candidates) : { edits: [], leftovers: [] };
  },
};

function rewriteCandidates(source: SourceText, candidates: Candidates): FileRewrite {
  const { literals, dynamic, proxyquire, bindings } = candidates;
  const nodes = parse(source.language, source.text)
    .root()
    .findAll({ rule: { any: [{ kind: "ERROR" }, ...tokenRules(source.text, candidates)] } });
  const byKind = Map.groupBy(nodes, (node) => (node.kind() === "ERROR" ? "error" : "token"));
  const tokens = new Map((byKind.get("token") ?? []).map((node) => [node.range().start.index, node]));
  const at = (places: readonly Token[]) => places.flatMap(({ start }) => tokens.get(start) ?? []);
  const shadows = shadowScopes(at(bindings));
  const matches = [
    ...at(literals).flatMap((node) => specifierMatch(node, shadows)),
    ...at(dynamic).flatMap((node) => dynamicMatch(node, shadows)),
    ...at(proxyquire).flatMap(stubMatches),
  ];
  return selectMatches(source, inOrder(matches), (byKind.get("error") ?? []).map(zoneOf));
}

function tokenRules(text: string, { literals, dynamic, proxyquire, bindings }: Candidates) {
  const names = ["identifier", "import", "shorthand_property_identifier_pattern"];
  return [
    ruleForTokens(text, ["string", "template_string"], literals),
    ruleForTokens(text, names, [...dynamic, ...proxyquire, ...bindings]),
  ];
}

/** By place, and one for each place: a name in an import and in a key is the same edit. */
function inOrder(matches: readonly Match[]): Match[] {
  const byStart = new Map(matches.map((match) => [match.start, match]));
  return [...byStart.values()].sort((one, other) => one.start - other.start);
}

type Verdict = { site: SgNode; refused?: string } | undefined;

function specifierMatch(literal: SgNode, shadows: readonly Token[]): Match[] {
  const verdict = judge(literal, shadows);
  if (!verdict) return [];
  const start = literal.range().start.index + 1;
  return [match(verdict.site, { start, end: start, text: "node:" }, verdict.refused)];
}

/** What a quoted name is used for: a module to resolve, one that must stay, or (undefined) something else. */
function judge(literal: SgNode, shadows: readonly Token[]): Verdict {
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
      return parent ? judgeArgument(literal, parent, shadows) : undefined;
    case "array":
      return parent ? judgeListed(parent) : undefined;
    case "parenthesized_expression":
    case "sequence_expression":
      return isInMisreadGenericMock(literal) ? { site: literal } : undefined;
    default:
      return undefined;
  }
}

function judgeArgument(literal: SgNode, list: SgNode, shadows: readonly Token[]): Verdict {
  const call = list.parent();
  if (call?.kind() !== "call_expression" || firstArgument(list)?.id() !== literal.id()) return undefined;
  const callee = calleeOf(call);
  if (callee === "other") return undefined;
  if (callee === "require" && isShadowed(shadows, call.range().start.index)) {
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
function dynamicMatch(name: SgNode, shadows: readonly Token[]): Match[] {
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

function stubMatches(name: SgNode): Match[] {
  const stubs = stubsOf(name);
  if (!stubs) return [];
  const unseen = stubs.unseen.map(({ node, reason }) => {
    const start = node.range().start.index;
    return match(node, { start, end: start, text: "" }, reason);
  });
  return [...stubs.keys.map((key) => renameKey(key, stubs.quote)), ...unseen];
}

function renameKey({ node, name, form }: StubKey, quote: string): Match {
  const { start, end } = node.range();
  if (form === "string") return match(node, { start: start.index + 1, end: start.index + 1, text: "node:" });
  const key = `${quote}node:${name}${quote}`;
  return match(node, { start: start.index, end: end.index, text: form === "shorthand" ? `${key}: ${name}` : key });
}

function match(site: SgNode, splice: { start: number; end: number; text: string }, refused?: string): Match {
  const { start, end } = site.range();
  const node = { start: start.index, end: end.index, place: start };
  return { ...splice, node, label: "node-protocol", ...(refused ? { refused } : {}) };
}
