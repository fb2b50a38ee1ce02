import type { SgNode } from "@ast-grep/napi";
import { builtinModules } from "./builtin-modules.ts";
import { argumentsOf } from "./module-call.ts";

/** A key that names a built-in module. `shorthand` means that the key is its value too. */
export interface StubKey {
  node: SgNode;
  name: string;
  form: "string" | "name" | "shorthand";
}

/** What to do about a call of proxyquire or its like: keys to rename, and what could not be seen. */
export interface Stubs {
  keys: StubKey[];
  unseen: { node: SgNode; reason: string }[];
  /** The quote of the call's path, as the file's own style. */
  quote: string;
}

/**
 * The stubs of the call that `name` begins, such as `proxyquire.noCallThru()("./x", { fs: ... })`.
 * A package's own requires are not rewritten, so stubs for one keep their names.
 */
export function stubsOf(name: SgNode): Stubs | undefined {
  const call = loadingCall(name);
  const [path, written] = call ? argumentsOf(call) : [];
  if (!call || !path || !written || /^(?:undefined|null)$/.test(written.text())) return undefined;
  const stubs = literalOf(written, call);
  const quote = /^["']/.exec(path.text())?.[0] ?? '"';
  if (path.kind() === "string" && !/^["'](?:\.|\/)/.test(path.text())) return ofPackage(stubs, path, quote);
  if (stubs.kind() === "object") return ofObject(stubs, quote);
  return { keys: [], unseen: [{ node: stubs, reason: "the stubs are not an object literal" }], quote };
}

/** The object that is written there, in whatever type or brackets, or under a name of its own. */
function literalOf(written: SgNode, call: SgNode): SgNode {
  const inner = written.children().filter((child) => child.isNamed() && child.kind() !== "comment");
  switch (String(written.kind())) {
    case "as_expression":
    case "satisfies_expression":
    case "parenthesized_expression":
      return inner[0] ? literalOf(inner[0], call) : written;
    case "type_assertion":
      return inner[1] ? literalOf(inner[1], call) : written;
    case "identifier":
      return declaredLiteral(written, call) ?? written;
    default:
      return written;
  }
}

/** The object a name stands for, if in the whole file the name is only handed to such calls. */
function declaredLiteral(name: SgNode, call: SgNode): SgNode | undefined {
  const callee = call.field("function")?.text();
  const kinds = ["identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"];
  const uses = name
    .getRoot()
    .root()
    .findAll({ rule: { any: kinds.map((kind) => ({ kind })), regex: `^${name.text().replaceAll("$", "\\$")}$` } })
    .filter((use) => !isStubsOf(use, callee));
  const declarator = uses.length === 1 ? uses[0]?.parent() : undefined;
  const value = declarator?.kind() === "variable_declarator" ? declarator.field("value") : undefined;
  return value?.kind() === "object" ? value : undefined;
}

function isStubsOf(use: SgNode, callee: string | undefined): boolean {
  const call = use.parent()?.parent();
  if (call?.kind() !== "call_expression" || call.field("function")?.text() !== callee) return false;
  return argumentsOf(call)[1]?.id() === use.id();
}

/** Up the chain `proxyquire.noCallThru().load(...)` to the first call with arguments. */
function loadingCall(name: SgNode): SgNode | undefined {
  let link = isRequireOfTool(name.parent()) ? name.parent() : name;
  for (;;) {
    const next = link?.parent();
    if (!link || !next || next.range().start.index !== link.range().start.index) return undefined;
    if (next.kind() === "call_expression" && argumentsOf(next).length > 0) return next;
    if (next.kind() !== "call_expression" && next.kind() !== "member_expression") return undefined;
    link = next;
  }
}

function isRequireOfTool(call: SgNode | null): boolean {
  return call !== null && /^require\s*\(\s*["'](?:proxyquire|require-inject)["']\s*\)$/.test(call.text());
}

function ofPackage(stubs: SgNode, path: SgNode, quote: string): Stubs | undefined {
  const isAboutBuiltins = stubs.kind() === "object" && ofObject(stubs, quote).keys.length > 0;
  if (!isAboutBuiltins) return undefined;
  return { keys: [], unseen: [{ node: path, reason: "stubs a package, which keeps its own names" }], quote };
}

function ofObject(object: SgNode, quote: string): Stubs {
  const stubs: Stubs = { keys: [], unseen: [], quote };
  for (const member of object.children()) {
    const key = keyOf(member);
    if (key) stubs.keys.push(key);
    if (member.kind() === "spread_element") {
      stubs.unseen.push({ node: member, reason: "the keys of these stubs are not visible here" });
    }
  }
  return stubs;
}

function keyOf(member: SgNode): StubKey | undefined {
  if (member.kind() === "shorthand_property_identifier") return named(member, member.text(), "shorthand");
  const key = member.field("key") ?? member.field("name");
  if (key?.kind() === "property_identifier") return named(key, key.text(), "name");
  const text = key?.kind() === "computed_property_name" ? key.child(1) : key;
  return text?.kind() === "string" ? named(text, text.text().slice(1, -1), "string") : undefined;
}

function named(node: SgNode, name: string, form: StubKey["form"]): StubKey | undefined {
  return builtinModules.has(name) ? { node, name, form } : undefined;
}
