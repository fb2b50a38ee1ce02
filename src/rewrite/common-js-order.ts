import ts from "@typescript/typescript6";

/**
 * Whether code at the top of a file does anything that a module loaded later could tell. What is not plainly a value, a
 * definition or the loading itself counts as doing something.
 */
export function isInert(statement: ts.Statement, loads: ReadonlySet<ts.Node>): boolean {
  if (ts.isFunctionDeclaration(statement) || ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))
    return true;
  if (ts.isEmptyStatement(statement)) return true;
  if (ts.isClassDeclaration(statement)) return isInertClass(statement, loads);
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.every(
      ({ initializer, name }) => isPlainPattern(name, loads) && (!initializer || isValue(initializer, loads)),
    );
  }
  return ts.isExpressionStatement(statement) && (isValue(statement.expression, loads) || isExport(statement, loads));
}

/** A pattern whose defaults run nothing. */
function isPlainPattern(name: ts.BindingName, loads: ReadonlySet<ts.Node>): boolean {
  if (ts.isIdentifier(name)) return true;
  return name.elements.every((element) => {
    if (ts.isOmittedExpression(element)) return true;
    return (!element.initializer || isValue(element.initializer, loads)) && isPlainPattern(element.name, loads);
  });
}

/** `exports.a = value`, `module.exports = value`: only a circle of files could see when. */
function isExport({ expression }: ts.ExpressionStatement, loads: ReadonlySet<ts.Node>): boolean {
  if (!ts.isBinaryExpression(expression) || expression.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return false;
  return /^(?:module\s*\.\s*exports|exports)\b/.test(expression.left.getText()) && isValue(expression.right, loads);
}

function isInertClass(node: ts.ClassLikeDeclaration, loads: ReadonlySet<ts.Node>): boolean {
  const heritage = node.heritageClauses?.flatMap(({ types }) => types.map(({ expression }) => expression)) ?? [];
  const runs = (member: ts.ClassElement) =>
    ts.isClassStaticBlockDeclaration(member) ||
    (member.name !== undefined && ts.isComputedPropertyName(member.name)) ||
    (ts.isPropertyDeclaration(member) && member.initializer !== undefined && !isValue(member.initializer, loads));
  return heritage.every((one) => isValue(one, loads)) && !node.members.some(runs) && !ts.getDecorators(node)?.length;
}

/** Constructors of the language that only make an empty thing. */
const makers = /^(?:new (?:Map|Set|WeakMap|WeakSet|Error|Array|Object)|Symbol(?:\.for)?)$/;

function isValue(node: ts.Expression, loads: ReadonlySet<ts.Node>): boolean {
  if (loads.has(node) || ts.isLiteralExpression(node) || ts.isIdentifier(node)) return true;
  if (ts.isFunctionExpression(node) || ts.isArrowFunction(node)) return true;
  if (ts.isClassExpression(node)) return isInertClass(node, loads);
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return isMaker(node);
  if (ts.isPropertyAccessExpression(node) || ts.isParenthesizedExpression(node)) return isValue(node.expression, loads);
  if (ts.isArrayLiteralExpression(node)) return node.elements.every((element) => isValue(element, loads));
  if (ts.isObjectLiteralExpression(node)) return node.properties.every((property) => isValueProperty(property, loads));
  return isValueOfOperator(node, loads);
}

function isMaker(node: ts.CallExpression | ts.NewExpression): boolean {
  const named = `${ts.isNewExpression(node) ? "new " : ""}${node.expression.getText()}`;
  return makers.test(named) && (node.arguments ?? []).every((argument) => ts.isLiteralExpression(argument));
}

function isValueProperty(property: ts.ObjectLiteralElementLike, loads: ReadonlySet<ts.Node>): boolean {
  if (ts.isShorthandPropertyAssignment(property)) return true;
  if (property.name && ts.isComputedPropertyName(property.name)) return false;
  if (ts.isPropertyAssignment(property)) return isValue(property.initializer, loads);
  return !ts.isSpreadAssignment(property);
}

function isValueOfOperator(node: ts.Expression, loads: ReadonlySet<ts.Node>): boolean {
  if (ts.isPrefixUnaryExpression(node)) {
    const isCount = node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
    return !isCount && isValue(node.operand, loads);
  }
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    const isAssignment = kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
    return !isAssignment && isValue(node.left, loads) && isValue(node.right, loads);
  }
  if (ts.isConditionalExpression(node))
    return [node.condition, node.whenTrue, node.whenFalse].every((one) => isValue(one, loads));
  const words = [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword];
  return words.includes(node.kind) || (ts.isTypeOfExpression(node) && isValue(node.expression, loads));
}

/** What the same statement does before it comes to a load; undefined when it does nothing before. */
export function actsBefore(statement: ts.Node, load: ts.Node, loads: ReadonlySet<ts.Node>): ts.Node | undefined {
  const seek = (node: ts.Node): ts.Node | undefined => {
    if (node.getStart() >= load.getStart() || ts.isFunctionLike(node)) return undefined;
    const isDone = node.end <= load.getStart() && !loads.has(node);
    if (isDone && doesSomething(node)) return node;
    return ts.forEachChild(node, seek);
  };
  return seek(statement);
}

function doesSomething(node: ts.Node): boolean {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return !isMaker(node);
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  }
  const isCount = ts.isPostfixUnaryExpression(node) || (ts.isPrefixUnaryExpression(node) && !isValue(node, new Set()));
  return isCount || ts.isTaggedTemplateExpression(node) || ts.isAwaitExpression(node) || ts.isDeleteExpression(node);
}
