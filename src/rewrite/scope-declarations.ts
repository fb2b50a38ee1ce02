import ts from "@typescript/typescript6";

/** Names are looked up twice over: among values, and among types. */
export type Meaning = "value" | "type";

/** A name that a node declares, and how far out it is known. */
export interface Declared {
  name: ts.Identifier;
  meanings: readonly Meaning[];
  reach: "block" | "function" | "both" | "file";
}

const value: readonly Meaning[] = ["value"];
const type: readonly Meaning[] = ["type"];
const both: readonly Meaning[] = ["value", "type"];

/** What a node declares in the scope it stands in (`outside`), or in the scope that it opens itself (`inside`). */
export function declaredBy(node: ts.Node, where: "outside" | "inside"): Declared[] {
  return where === "outside" ? declaredAround(node) : declaredWithin(node);
}

function declaredAround(node: ts.Node): Declared[] {
  if (ts.isVariableDeclaration(node)) return named(namesIn(node.name), value, reachOf(node));
  if (ts.isParameter(node)) return named(namesIn(node.name), value, "block");
  if (ts.isFunctionDeclaration(node)) return named(node.name, value, "both");
  if (ts.isClassDeclaration(node) || ts.isEnumDeclaration(node)) return named(node.name, both, "block");
  if (ts.isModuleDeclaration(node)) return named(ts.isIdentifier(node.name) ? node.name : undefined, both, "block");
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return named(node.name, type, "block");
  if (ts.isTypeParameterDeclaration(node)) return named(node.name, type, "block");
  return isImport(node) ? named(node.name, both, "file") : [];
}

/** The name of a function or class expression is known only within it. */
function declaredWithin(node: ts.Node): Declared[] {
  if (ts.isFunctionExpression(node)) return named(node.name, value, "block");
  return ts.isClassExpression(node) ? named(node.name, both, "block") : [];
}

function named(
  names: ts.Identifier | undefined | readonly ts.Identifier[],
  meanings: readonly Meaning[],
  reach: Declared["reach"],
): Declared[] {
  const list = names === undefined ? [] : "text" in names ? [names] : names;
  return list.map((name) => ({ name, meanings, reach }));
}

function isImport(node: ts.Node): node is (
  | ts.ImportClause
  | ts.NamespaceImport
  | ts.ImportSpecifier
  | ts.ImportEqualsDeclaration
) & {
  name?: ts.Identifier;
} {
  return (
    ts.isImportClause(node) ||
    ts.isNamespaceImport(node) ||
    ts.isImportSpecifier(node) ||
    ts.isImportEqualsDeclaration(node)
  );
}

function reachOf({ parent }: ts.VariableDeclaration): "block" | "function" {
  return ts.isVariableDeclarationList(parent) && (parent.flags & ts.NodeFlags.BlockScoped) === 0 ? "function" : "block";
}

/** Every name that a pattern binds. */
export function namesIn(pattern: ts.BindingName): ts.Identifier[] {
  if (ts.isIdentifier(pattern)) return [pattern];
  return pattern.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : namesIn(element.name)));
}
