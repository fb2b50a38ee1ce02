import ts from "@typescript/typescript6";

/**
 * What an identifier does where it stands. Whatever is not certainly a mere label (a property's name, a label, an
 * attribute) counts as a use: a use too many only leaves code as it is, one too few would break it.
 */
export type NameUse = "label" | "value" | "type";

export function useOf(name: ts.Identifier): NameUse {
  const { parent } = name;
  if (isLabel(name, parent)) return "label";
  return isInType(name) ? "type" : "value";
}

function isLabel(name: ts.Identifier, parent: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.name === name;
  if (ts.isQualifiedName(parent)) return parent.right === name;
  if (ts.isExportSpecifier(parent)) {
    return parent.parent.parent.moduleSpecifier !== undefined || (parent.propertyName ?? parent.name) !== name;
  }
  if (ts.isShorthandPropertyAssignment(parent)) return false;
  return isNameOfMember(name, parent) || isBareWord(name, parent);
}

/** The name of a member, which is found through its owner and never through a scope. */
function isNameOfMember(name: ts.Identifier, parent: ts.Node): boolean {
  const isMember =
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent) ||
    ts.isObjectLiteralElement(parent) ||
    ts.isEnumMember(parent) ||
    ts.isNamedTupleMember(parent) ||
    ts.isJsxAttribute(parent);
  return isMember && parent.name === name;
}

/** Words of the grammar and of other modules. */
function isBareWord(name: ts.Identifier, parent: ts.Node): boolean {
  return (
    ts.isMetaProperty(parent) ||
    ts.isLabeledStatement(parent) ||
    ts.isBreakOrContinueStatement(parent) ||
    ts.isNamespaceExport(parent) ||
    ts.isNamespaceExportDeclaration(parent) ||
    ts.isImportAttribute(parent) ||
    ts.isJsxNamespacedName(parent) ||
    ts.isTypePredicateNode(parent) ||
    (ts.isImportTypeNode(parent) && parent.qualifier === name) ||
    (ts.isImportSpecifier(parent) && parent.propertyName === name) ||
    (ts.isBindingElement(parent) && parent.propertyName === name)
  );
}

/** Whether the name is looked up among types; `typeof x` in a type looks among values and makes none. */
function isInType(name: ts.Identifier): boolean {
  let node: ts.Node = name;
  while (ts.isQualifiedName(node.parent) || ts.isPropertyAccessExpression(node.parent)) node = node.parent;
  const { parent } = node;
  if (ts.isExpressionWithTypeArguments(parent) && ts.isHeritageClause(parent.parent)) return isTypeHeritage(parent);
  return ts.isTypeReferenceNode(parent) && parent.typeName === node;
}

function isTypeHeritage(node: ts.Node): boolean {
  const clause = node.parent;
  if (!ts.isHeritageClause(clause)) return false;
  return clause.token === ts.SyntaxKind.ImplementsKeyword || ts.isInterfaceDeclaration(clause.parent);
}

/** Whether nothing of this use is left when types are erased: a type's name, or `typeof x` in a type. */
export function isErased(name: ts.Identifier): boolean {
  if (isInType(name)) return true;
  let node: ts.Node = name;
  while (ts.isQualifiedName(node.parent)) node = node.parent;
  return ts.isTypeQueryNode(node.parent) && node.parent.exprName === node;
}

/** Whether this use, or what it is part of, is given a value here: assigned, counted up, looped over. */
export function isWritten(use: ts.Node): boolean {
  let node = use;
  for (;;) {
    const { parent } = node;
    if (isTarget(node, parent)) return true;
    if (!isPartOfTarget(node, parent)) return false;
    node = parent;
  }
}

function isTarget(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isBinaryExpression(parent)) return parent.left === node && isAssignment(parent.operatorToken.kind);
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    return parent.operator === ts.SyntaxKind.PlusPlusToken || parent.operator === ts.SyntaxKind.MinusMinusToken;
  }
  return (ts.isForInStatement(parent) || ts.isForOfStatement(parent)) && parent.initializer === node;
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** What may stand between a name and the assignment it is a target of: brackets, and patterns of names. */
function isPartOfTarget(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isShorthandPropertyAssignment(parent)) return parent.name === node;
  return (
    ts.isParenthesizedExpression(parent) ||
    ts.isArrayLiteralExpression(parent) ||
    ts.isObjectLiteralExpression(parent) ||
    ts.isSpreadElement(parent) ||
    ts.isSpreadAssignment(parent) ||
    ts.isNonNullExpression(parent) ||
    ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent) ||
    ts.isTypeAssertionExpression(parent)
  );
}
