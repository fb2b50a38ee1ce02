import ts from "@typescript/typescript6";
import { type Problem, problemAt } from "./common-js-problem.ts";
import { isWritten } from "./name-use.ts";
import type { ScopeTree } from "./scope-tree.ts";

/**
 * What means something else in an ES module, which is always strict and no function: found where it is written. What
 * only a run shows, such as a write to a frozen object that fails without a word, is not looked for.
 */
export function hazardsOf(tree: ts.SourceFile, scopes: ScopeTree): Problem[] {
  const isStrict = hasStrictDirective(tree.statements);
  const sloppy = isStrict ? [] : [...undeclared(scopes), ...functionsOfBlocks(scopes)];
  return [...walk(tree, { isStrict, thisIs: "exports" }), ...sloppy, ...reserved(scopes), ...testDoubles(tree)];
}

function hasStrictDirective(statements: readonly ts.Statement[]): boolean {
  const after = statements.findIndex((one) => !ts.isExpressionStatement(one) || !ts.isStringLiteral(one.expression));
  const directives = after === -1 ? statements : statements.slice(0, after);
  return directives.some(
    (one) => ts.isExpressionStatement(one) && one.expression.getText().slice(1, -1) === "use strict",
  );
}

interface Around {
  isStrict: boolean;
  /** What `this` is here: the exports at the top, a receiver, or, in a sloppy function, maybe the global object. */
  thisIs: "exports" | "receiver" | "maybe global";
}

function walk(node: ts.Node, around: Around): Problem[] {
  const inside = within(node, around);
  const problems: Problem[] = [];
  const reason = reasonAgainst(node, around);
  if (reason !== undefined) problems.push(problemAt(node, reason));
  ts.forEachChild(node, (child) => {
    problems.push(...walk(child, inside));
  });
  return problems;
}

function within(node: ts.Node, around: Around): Around {
  if (ts.isClassLike(node)) return { isStrict: true, thisIs: "receiver" };
  if (!ts.isFunctionLike(node) || ts.isArrowFunction(node)) return around;
  const body = "body" in node ? node.body : undefined;
  const isStrict = around.isStrict || (body !== undefined && ts.isBlock(body) && hasStrictDirective(body.statements));
  return { isStrict, thisIs: isStrict || hasReceiver(node) ? "receiver" : "maybe global" };
}

/** Methods, what is put into a property, and what is named like a class: they are meant to be called on something. */
function hasReceiver(node: ts.SignatureDeclaration): boolean {
  if (ts.isMethodDeclaration(node) || ts.isAccessor(node)) return true;
  if (/^\p{Lu}/u.test(node.name?.getText() ?? "")) return true;
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) return true;
  if (ts.isVariableDeclaration(parent)) return /^\p{Lu}/u.test(parent.name.getText());
  return ts.isBinaryExpression(parent) && parent.right === node && ts.isPropertyAccessExpression(parent.left);
}

function reasonAgainst(node: ts.Node, { isStrict, thisIs }: Around): string | undefined {
  if (node.kind === ts.SyntaxKind.ThisKeyword) return reasonAgainstThis(thisIs);
  if (ts.isReturnStatement(node) && thisIs === "exports" && !isInFunction(node))
    return "only a CommonJS file can return";
  if (ts.isIdentifier(node) && node.text === "arguments" && thisIs === "exports" && !isName(node)) {
    return "at the top of an ES module there are no `arguments`";
  }
  return isStrict ? undefined : reasonAgainstSloppy(node);
}

function reasonAgainstThis(thisIs: Around["thisIs"]): string | undefined {
  if (thisIs === "exports") return "`this` at the top is the exports of a CommonJS file, and nothing in an ES module";
  if (thisIs === "receiver") return undefined;
  return "`this` may be the global object here, which strict code does not give; add 'use strict' and test first";
}

function isInFunction(node: ts.Node): boolean {
  for (let at = node.parent; at; at = at.parent) if (ts.isFunctionLike(at)) return true;
  return false;
}

function isName({ parent }: ts.Identifier): boolean {
  return ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent);
}

/** What strict code refuses, or takes for something else. */
function reasonAgainstSloppy(node: ts.Node): string | undefined {
  if (ts.isWithStatement(node)) return "an ES module has no `with`";
  if (ts.isDeleteExpression(node) && ts.isIdentifier(node.expression)) return "an ES module may not delete a name";
  if (ts.isIdentifier(node) && node.text === "arguments" && !isName(node)) return reasonAgainstArguments(node);
  if (ts.isCallExpression(node) && node.expression.getText() === "eval") return "`eval` would be strict";
  return reasonAgainstWord(node);
}

function reasonAgainstWord(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) && /^(?:callee|caller)$/.test(node.name.text)) {
    return `\`${node.name.text}\` is not there in strict code`;
  }
  if (ts.isNumericLiteral(node) && /^0\d/.test(node.getText())) return "an ES module has no numbers like this";
  const isEscaped = ts.isStringLiteral(node) && /\\(?:0\d|[1-9])/.test(node.getText());
  return isEscaped ? "an ES module has no such escape in a string" : undefined;
}

/** In sloppy code a write to a parameter shows in `arguments`, and the other way round. */
function reasonAgainstArguments(node: ts.Identifier): string | undefined {
  for (let at: ts.Node = node.parent; at; at = at.parent) {
    if (!ts.isFunctionLike(at) || ts.isArrowFunction(at)) continue;
    const names = new Set(at.parameters.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : [])));
    const writes = (one: ts.Node): boolean =>
      (ts.isIdentifier(one) && (names.has(one.text) || one === node) && isWritten(one)) ||
      ts.forEachChild(one, (child) => writes(child) || undefined) === true;
    return writes(at) || isElementWritten(node)
      ? "`arguments` and the parameters are one in sloppy code only"
      : undefined;
  }
  return undefined;
}

function isElementWritten({ parent }: ts.Identifier): boolean {
  return ts.isElementAccessExpression(parent) && ts.isBinaryExpression(parent.parent) && parent.parent.left === parent;
}

function undeclared({ free }: ScopeTree): Problem[] {
  const written = [...free.values()].flat().filter((use) => isWritten(use));
  return written.map((use) =>
    problemAt(use, `\`${use.text}\` is declared nowhere, and strict code may not make a global`),
  );
}

/** A function in a block is known outside of it in sloppy code only. */
function functionsOfBlocks({ bindings }: ScopeTree): Problem[] {
  return bindings.flatMap(({ scope, declarations, uses }) => {
    const isOfBlock = declarations.some(
      ({ parent }) => ts.isFunctionDeclaration(parent) && !isBodyOf(parent.parent, scope.node),
    );
    const [use] = uses;
    return isOfBlock && use
      ? [problemAt(use, "the function is declared in a block, and strict code knows it only there")]
      : [];
  });
}

function isBodyOf(block: ts.Node, scope: ts.Node): boolean {
  return block === scope || (block.parent === scope && !ts.isSourceFile(scope));
}

const strictNames = new Set(
  "await let static yield implements interface package private protected public eval arguments".split(" "),
);

function reserved({ bindings }: ScopeTree): Problem[] {
  const taken = bindings.filter(({ name, meaning }) => meaning === "value" && strictNames.has(name));
  return taken.flatMap(({ name, declarations: [first] }) =>
    first ? [problemAt(first, `\`${name}\` cannot be a name in an ES module`)] : [],
  );
}

/** Test tools that stand other modules in by way of `require`. */
function testDoubles(tree: ts.SourceFile): Problem[] {
  const found =
    /\b(?:jest|vi)\s*\.\s*(?:mock|doMock)\s*\(|["'](?:proxyquire|mock-require|mockery|rewire|require-inject)["']/.exec(
      tree.text,
    );
  if (!found) return [];
  return [
    { start: found.index, end: found.index + found[0].length, reason: "its test doubles work by way of `require`" },
  ];
}
