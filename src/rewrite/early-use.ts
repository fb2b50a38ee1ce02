import ts from "@typescript/typescript6";
import { isExported } from "./file-kind.ts";
import type { Binding, ScopeTree } from "./scope-tree.ts";

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

/** How a use could come too early, in words; undefined when it cannot. */
export function earlyUse(use: ts.Identifier, declaration: Declaration, known: Known): string | undefined {
  const line = known.lineOf(use);
  const carrier = carrierOf(use, declaration.block);
  if (!carrier) {
    return runsAfter(use, declaration) ? undefined : `it is used before it is declared (line ${line})`;
  }
  if (isOnlyMade(carrier, use, declaration.variable.initializer)) return undefined;
  return carrierIsLate(carrier, declaration, known, new Set())
    ? undefined
    : `a function that uses it (line ${line}) could run before it is declared`;
}

export interface Known {
  scopes: ScopeTree;
  lineOf(node: ts.Node): number;
  /** Whether another module could call what this one exports before it has come to its end. */
  isInCircle: boolean;
}

/** The outermost function between a use and the block; undefined when the use runs with the block itself. */
export function carrierOf(use: ts.Node, block: ts.Node): ts.Node | undefined {
  let carrier: ts.Node | undefined;
  for (let node = use.parent; node && node !== block; node = node.parent) {
    if (ts.isFunctionLike(node) || ts.isPropertyDeclaration(node) || ts.isClassStaticBlockDeclaration(node)) {
      carrier = node;
    }
  }
  return carrier;
}

function runsAfter(use: ts.Node, { variable, name, block }: Declaration): boolean {
  const start = use.getStart();
  if (!isWithin(start, block) || isHoisted(use)) return false;
  if (variable.initializer && isWithin(start, variable.initializer)) return false;
  if (isWithin(start, variable.name)) return isAfterElement(start, name, variable);
  const head = variable.parent.parent;
  if (ts.isForInStatement(head) || ts.isForOfStatement(head)) return start >= head.expression.end;
  return start >= variable.end;
}

/** `jest.mock(...)` and the like stand where they stand for people only: test tools move them to the top of the file. */
function isHoisted(use: ts.Node): boolean {
  for (let node = use; node; node = node.parent) {
    if (ts.isCallExpression(node) && hoisted.test(node.expression.getText())) return true;
  }
  return false;
}

const hoisted = /^(?:jest|vi|vitest)\b[\s\S]*\.\s*(?:mock|unmock|deepUnmock|enableAutomock|disableAutomock|hoisted)$/;

/** Whether a node, or the one place, lies in another. */
export function isWithin(inner: ts.Node | number, outer: ts.Node): boolean {
  const start = typeof inner === "number" ? inner : inner.getStart();
  return outer.pos <= start && start < outer.end;
}

/** A pattern binds from left to right, but a default comes before all that is taken out of it. */
function isAfterElement(start: number, name: ts.Identifier, variable: ts.VariableDeclaration): boolean {
  for (let node: ts.Node = name.parent; node !== variable; node = node.parent) {
    if (ts.isBindingElement(node) && node.initializer && isWithin(start, node.initializer)) return false;
  }
  return start >= name.parent.end;
}

/**
 * `const timer = () => clearTimeout(timer)`: the initializer makes the function and nothing more, so that nobody can
 * call it yet.
 */
function isOnlyMade(carrier: ts.Node, use: ts.Node, initializer: ts.Expression | undefined): boolean {
  if (!initializer || !isWithin(carrier.getStart(), initializer)) return false;
  if (!ts.isFunctionExpression(carrier) && !ts.isArrowFunction(carrier) && !isPlainMethod(carrier, use)) return false;
  for (let node = carrier; node !== initializer; node = node.parent) if (!isJustHeld(node)) return false;
  return true;
}

function isPlainMethod(carrier: ts.Node, use: ts.Node): boolean {
  if (!ts.isMethodDeclaration(carrier) && !ts.isAccessor(carrier)) return false;
  return ts.isObjectLiteralExpression(carrier.parent) && !isWithin(use.getStart(), carrier.name);
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

/** Whether a function cannot run before the declaration has: it is made later, or all that names it comes later. */
function carrierIsLate(carrier: ts.Node, declaration: Declaration, known: Known, seen: Set<ts.Node>): boolean {
  if (seen.has(carrier)) return true;
  seen.add(carrier);
  if (!ts.isFunctionDeclaration(carrier)) return runsAfter(carrier, declaration);
  if (!carrier.name || isExported(carrier)) return !known.isInCircle && isNamedLate(carrier, declaration, known, seen);
  return isNamedLate(carrier, declaration, known, seen);
}

/** A function declaration exists from the start of its block, so it is the uses of its name that count. */
function isNamedLate(
  carrier: ts.FunctionDeclaration,
  declaration: Declaration,
  known: Known,
  seen: Set<ts.Node>,
): boolean {
  const bindings = carrier.name ? known.scopes.declared(carrier.name) : [];
  return bindings.every((binding) => usesAreLate(binding, carrier, declaration, known, seen));
}

function usesAreLate(
  { uses }: Binding,
  carrier: ts.Node,
  declaration: Declaration,
  known: Known,
  seen: Set<ts.Node>,
): boolean {
  return uses.every((use) => {
    const start = use.getStart();
    if (isWithin(start, carrier)) return true;
    if (!isWithin(start, declaration.block)) return false;
    if (ts.isExportSpecifier(use.parent)) return !known.isInCircle;
    const caller = carrierOf(use, declaration.block);
    return caller ? carrierIsLate(caller, declaration, known, seen) : runsAfter(use, declaration);
  });
}
