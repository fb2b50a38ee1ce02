import ts from "@typescript/typescript6";
import { isErased } from "./name-use.ts";
import type { ScopeTree } from "./scope-tree.ts";

/**
 * What an imported name is used for in its file. Whether it names a type at all is not asked: a class that only stands
 * in types is not needed at run time either.
 */
export type ImportUse =
  | { kind: "type" }
  | { kind: "value" }
  | { kind: "unused" }
  /** Only used in types, and yet it may be needed at run time. */
  | { kind: "doubtful"; reason: string };

export interface ImportContext {
  scopes: ScopeTree;
  /** Names that the compiler itself may use where JSX stands; empty without JSX. */
  jsxNames: ReadonlySet<string>;
}

export function importUse(name: ts.Identifier, { scopes, jsxNames }: ImportContext): ImportUse {
  const bindings = scopes.declared(name);
  if (bindings.some(({ declarations }) => declarations.length > 1)) return { kind: "value" };
  const uses = bindings.flatMap((binding) => binding.uses);
  if (uses.length === 0) return { kind: "unused" };
  const needed = uses.filter((use) => !isErased(use) && !isTypeExport(use));
  if (needed.some((use) => !ts.isExportSpecifier(use.parent))) return { kind: "value" };
  if (needed.length > 0)
    return { kind: "doubtful", reason: "it is exported again, and only its own file says whether it is a type" };
  if (jsxNames.has(name.text)) return { kind: "doubtful", reason: "JSX may need it at run time" };
  if (uses.some(isInDecoratedSignature)) {
    return {
      kind: "doubtful",
      reason: "it is a type of a decorated signature, which emitDecoratorMetadata keeps at run time",
    };
  }
  return { kind: "type" };
}

/** `export type { X }` */
function isTypeExport({ parent }: ts.Identifier): boolean {
  return ts.isExportSpecifier(parent) && (parent.isTypeOnly || parent.parent.parent.isTypeOnly);
}

/** Whether a decorator sees this type: of a property, of a parameter, or of what a method returns. */
function isInDecoratedSignature(use: ts.Identifier): boolean {
  for (let node: ts.Node = use; node.parent; node = node.parent) {
    const { parent } = node;
    if (ts.isBlock(node) && ts.isFunctionLike(parent)) return false;
    if (ts.isPropertyDeclaration(parent) && parent.initializer === node) return false;
    if (ts.isClassElement(parent) && ts.isClassLike(parent.parent)) return isDecoratedMember(parent);
  }
  return false;
}

function isDecoratedMember(member: ts.ClassElement): boolean {
  const isOfClass = ts.isConstructorDeclaration(member) && isDecorated(member.parent);
  const parameters = ts.isFunctionLike(member) ? member.parameters : [];
  return isOfClass || isDecorated(member) || parameters.some(isDecorated);
}

function isDecorated(node: ts.Node): boolean {
  return ts.canHaveDecorators(node) && (ts.getDecorators(node) ?? []).length > 0;
}

/** The names that JSX may be compiled to, by custom or by the file's own pragma. */
export function jsxNamesOf(tree: ts.SourceFile): ReadonlySet<string> {
  if (!hasJsx(tree)) return new Set();
  const pragmas = [...tree.text.matchAll(/@jsx(?:Frag)?\s+([\w$]+)/g)].map(([, name = ""]) => name);
  return new Set(["React", "Preact", "h", "createElement", "jsx", "Fragment", ...pragmas]);
}

function hasJsx(node: ts.Node): boolean {
  const isJsx = ts.isJsxElement(node) || ts.isJsxSelfClosingElement(node) || ts.isJsxFragment(node);
  return isJsx || ts.forEachChild(node, (child) => hasJsx(child) || undefined) === true;
}
