import type { SgNode } from "@ast-grep/napi";
import type { Token } from "./specifier-candidates.ts";

/**
 * Where `require` is somebody else's: a parameter (as in bundles), a local function or variable, an import.
 * What `createRequire` returns is Node's own and is not counted.
 */
export function shadowScopes(bindings: readonly SgNode[]): Token[] {
  return bindings.map(scopeOf).filter((scope) => scope !== undefined);
}

export function isShadowed(scopes: readonly Token[], at: number): boolean {
  return scopes.some((scope) => scope.start <= at && at < scope.end);
}

/** Nodes between a name and what declares it, and the field in which the name must lie (undefined: any). */
const patternFields: Readonly<Record<string, string | undefined>> = {
  object_pattern: undefined,
  array_pattern: undefined,
  rest_pattern: undefined,
  pair_pattern: "value",
  assignment_pattern: "left",
  object_assignment_pattern: "left",
  required_parameter: "pattern",
  optional_parameter: "pattern",
};

/** The stretch in which this occurrence of the name binds it, or undefined when it only uses it. */
function scopeOf(name: SgNode): Token | undefined {
  let child = name;
  let parent = name.parent();
  while (parent && Object.hasOwn(patternFields, String(parent.kind()))) {
    const field = patternFields[String(parent.kind())];
    if (field && !isField(parent, field, child)) return undefined;
    child = parent;
    parent = parent.parent();
  }
  return parent ? scopeOfDeclaration(parent, child) : undefined;
}

function scopeOfDeclaration(parent: SgNode, child: SgNode): Token | undefined {
  switch (String(parent.kind())) {
    case "formal_parameters":
      return tokenOf(parent.parent());
    case "arrow_function":
    case "catch_clause":
      return isField(parent, "parameter", child) ? tokenOf(parent) : undefined;
    case "variable_declarator":
      return isField(parent, "name", child) && !isNodesOwn(parent) ? tokenOf(enclosingBlock(parent)) : undefined;
    case "function_declaration":
    case "generator_function_declaration":
      return isField(parent, "name", child) ? tokenOf(enclosingBlock(parent)) : undefined;
    case "import_specifier":
      return parent.field("alias") && !isField(parent, "alias", child) ? undefined : tokenOf(enclosingBlock(parent));
    case "import_clause":
    case "namespace_import":
      return tokenOf(enclosingBlock(parent));
    default:
      return undefined;
  }
}

function isField(parent: SgNode, field: string, child: SgNode): boolean {
  return parent.field(field)?.id() === child.id();
}

/** `const require = createRequire(import.meta.url)`, or a copy of Node's own. */
function isNodesOwn(declarator: SgNode): boolean {
  const value = declarator.field("value")?.text() ?? "";
  return (
    /^(?:[\w$.]+\.)?createRequire\s*\(/.test(value) ||
    /^(?:module|process\.mainModule|require\.main)\.require$/.test(value)
  );
}

function enclosingBlock(node: SgNode): SgNode | undefined {
  const ancestors = node.ancestors();
  return ancestors.find((one) => one.kind() === "statement_block") ?? ancestors.at(-1);
}

function tokenOf(node: SgNode | null | undefined): Token | undefined {
  if (!node) return undefined;
  const { start, end } = node.range();
  return { start: start.index, end: end.index };
}
