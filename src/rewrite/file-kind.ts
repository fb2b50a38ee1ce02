import ts from "@typescript/typescript6";
import { builtinModules } from "./builtin-modules.ts";
import type { ScopeTree } from "./scope-tree.ts";
import type { SyntaxFile } from "./syntax-file.ts";

/**
 * How a file is run, as far as the file itself proves it. What could also be a plain script counts as one: there the
 * names at the top belong to the whole page.
 */
export type FileKind = "module" | "commonjs" | "script";

export function fileKindOf({ source, tree }: SyntaxFile, scopes: ScopeTree): FileKind {
  if (/\.m[jt]s$/.test(source.path) || tree.statements.some(isModuleStatement) || saysImportMeta(tree)) return "module";
  if (source.path.endsWith(".cjs")) return "commonjs";
  // In TypeScript such a file shares its names with every other of the program.
  if (source.language !== "JavaScript" || asksWhereItRuns(scopes)) return "script";
  return usesNodesNames(source.text, scopes) ? "commonjs" : "script";
}

export function isModuleStatement(statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement) || ts.isExportAssignment(statement))
    return true;
  if (ts.isImportEqualsDeclaration(statement) && ts.isExternalModuleReference(statement.moduleReference)) return true;
  return ts.canHaveModifiers(statement) && isExported(statement);
}

export function isExported(node: ts.HasModifiers): boolean {
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}

function saysImportMeta(tree: ts.SourceFile): boolean {
  const seek = (node: ts.Node): boolean =>
    (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) ||
    ts.forEachChild(node, (child) => seek(child) || undefined) === true;
  return tree.text.includes("import.meta") && seek(tree);
}

/** `typeof module`, `define.amd`: it is made to run as a script too. */
function asksWhereItRuns({ free }: ScopeTree): boolean {
  const isAsked = (name: string) => free.get(name)?.some(({ parent }) => ts.isTypeOfExpression(parent)) === true;
  return ["module", "exports", "require", "define"].some(isAsked) || free.has("define");
}

function usesNodesNames(text: string, { free }: ScopeTree): boolean {
  if (/^\uFEFF?#!.*\bnode\b/.test(text) || free.has("__dirname") || free.has("__filename")) return true;
  const isUsed = (name: string, isIt: (use: ts.Identifier) => boolean) => free.get(name)?.some(isIt) === true;
  return (
    isUsed("require", isNodesRequire) ||
    isUsed("exports", ({ parent }) => ts.isPropertyAccessExpression(parent) || ts.isBinaryExpression(parent)) ||
    isUsed("module", ({ parent }) => ts.isPropertyAccessExpression(parent) && parent.name.text === "exports")
  );
}

/** `require("x")`, `require.resolve("x")`; the loader of AMD takes a list. */
function isNodesRequire({ parent }: ts.Identifier): boolean {
  if (ts.isPropertyAccessExpression(parent)) return ["resolve", "main", "cache"].includes(parent.name.text);
  if (!ts.isCallExpression(parent)) return false;
  const [first] = parent.arguments;
  return first !== undefined && !ts.isArrayLiteralExpression(first) && parent.arguments.length === 1;
}

/** Whether another module could run code of this one before it has come to its end, because each loads the other. */
export function mayBeInCircle(tree: ts.SourceFile): boolean {
  const seek = (node: ts.Node): boolean =>
    isForeign(specifierOf(node)) || ts.forEachChild(node, (child) => seek(child) || undefined) === true;
  return seek(tree);
}

/** What a node names as the module it loads, or undefined when it loads nothing. */
function specifierOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node)) {
    return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? undefined : node.moduleSpecifier;
  }
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? undefined : node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const isLoading =
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require");
  return isLoading ? (node.arguments[0] ?? node) : undefined;
}

function isForeign(specifier: ts.Expression | undefined): boolean {
  if (!specifier) return false;
  return (
    !ts.isStringLiteralLike(specifier) || !(specifier.text.startsWith("node:") || builtinModules.has(specifier.text))
  );
}
