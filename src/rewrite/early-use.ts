import ts from "@typescript/typescript6";
import { carrierOf, type FirstRun, isHoisted, isInside } from "./first-run.ts";

/**
 * Whether a use of a variable could be reached before its declaration has run. Only the order of the text proves that
 * it could not: what is called from elsewhere, or handed away, may run at any time after it exists.
 */
export interface Declaration {
  variable: ts.VariableDeclaration;
  name: ts.Identifier;
  /** The statement list, or the loop whose head this is, in which the name would be known. */
  block: ts.Node;
}

export interface Known {
  lineOf(node: ts.Node): number;
  firstRun: FirstRun;
  /** Whether another module could call what this one exports before it has come to its end. */
  isInCircle: boolean;
}

/** How a use inside of the block could come too early, in words; undefined when it cannot. */
export function earlyUse(use: ts.Identifier, declaration: Declaration, known: Known): string | undefined {
  const { variable, block } = declaration;
  const carrier = carrierOf(use, block);
  if (!carrier) {
    return runsAfter(use, declaration) ? undefined : `it is used before it is declared (line ${known.lineOf(use)})`;
  }
  if (isOnlyMade(carrier, use, variable.initializer)) return undefined;
  if (known.firstRun(carrier, block) >= readyAt(variable)) return undefined;
  return `a function that uses it (line ${known.lineOf(use)}) could run before it is declared`;
}

function runsAfter(use: ts.Node, { variable, name }: Declaration): boolean {
  if (isHoisted(use) || (variable.initializer && isInside(use, variable.initializer))) return false;
  if (isInside(use, variable.name)) return isAfterElement(use, name, variable);
  return use.getStart() >= readyAt(variable);
}

/** The place from which on the variable has its value. */
function readyAt(variable: ts.VariableDeclaration): number {
  const head = variable.parent.parent;
  return ts.isForInStatement(head) || ts.isForOfStatement(head) ? head.expression.end : variable.end;
}

/** A pattern binds from left to right, but a default comes before all that is taken out of it. */
function isAfterElement(use: ts.Node, name: ts.Identifier, variable: ts.VariableDeclaration): boolean {
  for (let node: ts.Node = name.parent; node !== variable; node = node.parent) {
    if (ts.isBindingElement(node) && node.initializer && isInside(use, node.initializer)) return false;
  }
  return use.pos >= name.parent.end;
}

/**
 * `const timer = () => clearTimeout(timer)`: the initializer makes the function and nothing more, so that nobody can
 * call it yet.
 */
function isOnlyMade(carrier: ts.Node, use: ts.Node, initializer: ts.Expression | undefined): boolean {
  if (!initializer || !isInside(carrier, initializer)) return false;
  if (!ts.isFunctionExpression(carrier) && !ts.isArrowFunction(carrier) && !isPlainMethod(carrier, use)) return false;
  for (let node = carrier; node !== initializer; node = node.parent) if (!isJustHeld(node)) return false;
  return true;
}

function isPlainMethod(carrier: ts.Node, use: ts.Node): boolean {
  if (!ts.isMethodDeclaration(carrier) && !ts.isAccessor(carrier)) return false;
  return ts.isObjectLiteralExpression(carrier.parent) && !isInside(use, carrier.name);
}

/** Whether what is around a value only passes it on: brackets, an object or list, a choice, `module.exports =`. */
function isJustHeld(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isConditionalExpression(parent)) return parent.condition !== node;
  if (ts.isBinaryExpression(parent)) return isChoice(parent) || (parent.right === node && isPlainAssignment(parent));
  return (
    ts.isParenthesizedExpression(parent) ||
    ts.isObjectLiteralExpression(parent) ||
    ts.isArrayLiteralExpression(parent) ||
    ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent)
  );
}

function isChoice({ operatorToken: { kind } }: ts.BinaryExpression): boolean {
  return (
    kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    kind === ts.SyntaxKind.QuestionQuestionToken
  );
}

function isPlainAssignment({ left, operatorToken }: ts.BinaryExpression): boolean {
  return (
    operatorToken.kind === ts.SyntaxKind.EqualsToken && /^(?:module\.exports|exports\.[\w$]+)$/.test(left.getText())
  );
}
