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
  const [path, stubs] = call ? argumentsOf(call) : [];
  if (!path || !stubs || /^(?:undefined|null)$/.test(stubs.text())) return undefined;
  const quote = /^["']/.exec(path.text())?.[0] ?? '"';
  if (path.kind() === "string" && !/^["'](?:\.|\/)/.test(path.text())) return ofPackage(stubs, path, quote);
  if (stubs.kind() === "object") return ofObject(stubs, quote);
  return { keys: [], unseen: [{ node: stubs, reason: "the stubs are not an object literal" }], quote };
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
