import ts from "@typescript/typescript6";
import { builtinModules } from "./builtin-modules.ts";
import { actsBefore, isInert } from "./common-js-order.ts";
import { type Problem, problemAt } from "./common-js-problem.ts";
import { isWritten } from "./name-use.ts";
import type { Binding, ScopeTree } from "./scope-tree.ts";

/**
 * The `require` calls of a file that an import can stand for: with a plain text, at the top, whatever happens. An import
 * loads before anything of the file runs, so nothing that does something may come before such a call.
 */
export interface Load {
  call: ts.CallExpression;
  literal: ts.StringLiteralLike;
  statement: ts.Statement;
  form: LoadForm;
}

export type LoadForm =
  /** `require("x");` */
  | { kind: "bare" }
  /** `const name = require("x")` */
  | { kind: "name"; list: ts.VariableDeclarationList; name: ts.Identifier; binding: Binding }
  /** `const { key: name } = require("x")` */
  | { kind: "members"; list: ts.VariableDeclarationList; pattern: ts.ObjectBindingPattern; members: Member[] }
  /** `const name = require("x").key` */
  | { kind: "member"; list: ts.VariableDeclarationList; member: Member }
  /** Anywhere else in what runs once. */
  | { kind: "value" };

export interface Member {
  key: string;
  name: ts.Identifier;
}

export function loadsOf(tree: ts.SourceFile, scopes: ScopeTree): { loads: Load[]; problems: Problem[] } {
  const loads: Load[] = [];
  const problems: Problem[] = [];
  for (const use of scopes.free.get("require") ?? []) {
    const load = loadAt(use, scopes);
    if ("reason" in load) problems.push(load);
    else loads.push(load);
  }
  return { loads, problems: [...problems, ...outOfOrder(tree, loads)] };
}

function loadAt(use: ts.Identifier, scopes: ScopeTree): Load | Problem {
  const call = use.parent;
  if (!ts.isCallExpression(call) || call.expression !== use || call.questionDotToken) {
    return problemAt(use.parent, "an ES module has no `require`; only calls of it can become imports");
  }
  const [literal, more] = call.arguments;
  if (!literal || more || !ts.isStringLiteralLike(literal)) {
    return problemAt(call, "what it loads is not written out");
  }
  if (/\.(?:json|node)$/.test(literal.text)) {
    return problemAt(call, "only `require` loads such a file on every Node; read it, or use createRequire");
  }
  const statement = topStatementOf(call);
  if (!statement) return problemAt(call, "it is loaded only when a function, a branch or a block comes to it");
  return { call, literal, statement, form: formOf(call, statement, scopes) };
}

/** The statement of the file in which a call runs once, whatever happens; undefined when it may not. */
function topStatementOf(call: ts.Node): ts.Statement | undefined {
  for (let node = call; node.parent; node = node.parent) {
    const { parent } = node;
    if (ts.isSourceFile(parent)) {
      return ts.isVariableStatement(node) || ts.isExpressionStatement(node) ? node : undefined;
    }
    if (isSkippable(node, parent)) return undefined;
  }
  return undefined;
}

function isSkippable(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isFunctionLike(parent) || ts.isClassLike(parent)) return true;
  if (ts.isConditionalExpression(parent)) return parent.condition !== node;
  if (ts.isBindingElement(parent)) return true;
  if (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent) || ts.isCallExpression(parent)) {
    return parent.questionDotToken !== undefined;
  }
  return ts.isBinaryExpression(parent) && parent.right === node && isShortCut(parent.operatorToken.kind);
}

function isShortCut(kind: ts.SyntaxKind): boolean {
  return [
    ts.SyntaxKind.BarBarToken,
    ts.SyntaxKind.AmpersandAmpersandToken,
    ts.SyntaxKind.QuestionQuestionToken,
    ts.SyntaxKind.BarBarEqualsToken,
    ts.SyntaxKind.AmpersandAmpersandEqualsToken,
    ts.SyntaxKind.QuestionQuestionEqualsToken,
  ].includes(kind);
}

function formOf(call: ts.CallExpression, statement: ts.Statement, scopes: ScopeTree): LoadForm {
  if (call.parent === statement) return { kind: "bare" };
  const access = ts.isPropertyAccessExpression(call.parent) ? call.parent : undefined;
  const declaration = access ? access.parent : call.parent;
  if (!ts.isVariableDeclaration(declaration) || !ts.isVariableDeclarationList(declaration.parent)) return value;
  const list = declaration.parent;
  const { name } = declaration;
  if (ts.isIdentifier(name)) return formOfName(name, access?.name, list, scopes);
  if (access || !ts.isObjectBindingPattern(name)) return value;
  const members = membersOf(name, scopes);
  return members ? { kind: "members", list, pattern: name, members } : value;
}

const value: LoadForm = { kind: "value" };

function formOfName(
  name: ts.Identifier,
  key: ts.MemberName | undefined,
  list: ts.VariableDeclarationList,
  scopes: ScopeTree,
): LoadForm {
  const binding = fixedBinding(name, scopes);
  if (!binding) return value;
  if (!key) return { kind: "name", list, name, binding };
  return ts.isIdentifier(key) ? { kind: "member", list, member: { key: key.text, name } } : value;
}

/** What a name means, if it never gets another value; an import could not be given one. */
export function fixedBinding(name: ts.Identifier, scopes: ScopeTree): Binding | undefined {
  const binding = scopes.declared(name).find(({ meaning }) => meaning === "value");
  return binding?.declarations.length === 1 && !binding.uses.some(isWritten) ? binding : undefined;
}

function membersOf(pattern: ts.ObjectBindingPattern, scopes: ScopeTree): Member[] | undefined {
  const members = pattern.elements.flatMap(({ name, propertyName, initializer, dotDotDotToken }): Member[] => {
    const isPlain = ts.isIdentifier(name) && !initializer && !dotDotDotToken && fixedBinding(name, scopes);
    if (!isPlain || (propertyName && !ts.isIdentifier(propertyName))) return [];
    return [{ key: (propertyName ?? name).text, name }];
  });
  return members.length === pattern.elements.length ? members : undefined;
}

/** Loads that would come earlier than they do now: before something that the file does. */
function outOfOrder(tree: ts.SourceFile, loads: readonly Load[]): Problem[] {
  const byStatement = Map.groupBy(loads, ({ statement }) => statement);
  const calls = new Set<ts.Node>(loads.map(({ call }) => call));
  let acting: ts.Node | undefined;
  for (const statement of tree.statements) {
    for (const { call, literal } of byStatement.get(statement) ?? []) {
      const before = acting ?? actsBefore(statement, call, calls);
      if (before && !isBuiltin(literal.text)) {
        const line = tree.getLineAndCharacterOfPosition(before.getStart()).line + 1;
        // One is enough to tell: after it, all others would come too early as well.
        return [problemAt(call, `as an import it would be loaded before line ${line} runs`)];
      }
    }
    if (!isInert(statement, calls)) acting ??= statement;
  }
  return [];
}

export function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.has(specifier);
}
