import ts from "@typescript/typescript6";
import { fixedBinding } from "./common-js-loads.ts";
import { type Problem, problemAt } from "./common-js-problem.ts";
import type { ScopeTree } from "./scope-tree.ts";

/**
 * What a CommonJS file exports, where an ES module can say the same: one value for all, or names that each get theirs
 * once, at the top. A file that reads its own exports, or hands them on, is not understood.
 */
export type Exports =
  | { kind: "none" }
  /** `module.exports = value` */
  | { kind: "whole"; statement: ts.Statement; value: ts.Expression }
  /** `exports.name = value` */
  | { kind: "names"; items: ExportedName[] };

export interface ExportedName {
  name: string;
  statement: ts.Statement;
  value: ts.Expression;
  /** The name that the file itself has for the value, if that never changes. */
  own: string | undefined;
}

export function exportsOf(scopes: ScopeTree): { exports: Exports; problems: Problem[] } {
  const uses = [...(scopes.free.get("module") ?? []), ...(scopes.free.get("exports") ?? [])];
  const found = uses.map((use) => ({ use, assigned: assignedBy(use) }));
  const problems = found.flatMap(({ use, assigned }) => (assigned ? [] : [problemAt(use.parent, notPlain)]));
  const assignments = found.flatMap(({ assigned }) => assigned ?? []);
  const whole = assignments.filter(({ name }) => name === undefined);
  const items = assignments.flatMap(({ name, statement, value }): ExportedName[] =>
    name === undefined ? [] : [{ name, statement, value, own: ownName(value, scopes) }],
  );
  const [first] = whole;
  if (!first) {
    const exports: Exports = items.length === 0 ? { kind: "none" } : { kind: "names", items };
    return { exports, problems: [...problems, ...problemsOfNames(items, scopes)] };
  }
  const others = assignments.filter((one) => one !== first);
  const twice = others.map(({ statement }) => problemAt(statement, "it exports more beside `module.exports`"));
  return { exports: { kind: "whole", ...first }, problems: [...problems, ...twice] };
}

const notPlain = "only `exports.name = value` and `module.exports = value` at the top can be said in an ES module";

interface Assigned {
  statement: ts.Statement;
  value: ts.Expression;
  /** Undefined for `module.exports` as a whole. */
  name: string | undefined;
}

function assignedBy(use: ts.Identifier): Assigned | undefined {
  const exports = use.text === "module" ? exportsOfModule(use) : use;
  if (!exports) return undefined;
  const { parent } = exports;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === exports)
    return assignedTo(parent, parent.name.text);
  return use.text === "module" ? assignedTo(exports, undefined) : undefined;
}

function assignedTo(target: ts.Expression, name: string | undefined): Assigned | undefined {
  const { parent } = target;
  if (!ts.isBinaryExpression(parent) || parent.left !== target) return undefined;
  if (parent.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return undefined;
  const statement = parent.parent;
  const isAtTop = ts.isExpressionStatement(statement) && ts.isSourceFile(statement.parent);
  return isAtTop ? { statement, value: parent.right, name } : undefined;
}

function exportsOfModule({ parent }: ts.Identifier): ts.Expression | undefined {
  return ts.isPropertyAccessExpression(parent) && parent.name.text === "exports" ? parent : undefined;
}

function ownName(value: ts.Expression, scopes: ScopeTree): string | undefined {
  if (!ts.isIdentifier(value)) return undefined;
  const binding = bindingAtTop(value.text, scopes);
  const [declaration] = binding?.declarations ?? [];
  return declaration && fixedBinding(declaration, scopes) ? value.text : undefined;
}

function bindingAtTop(name: string, { bindings }: ScopeTree) {
  return bindings.find((one) => one.name === name && one.meaning === "value" && ts.isSourceFile(one.scope.node));
}

function problemsOfNames(items: readonly ExportedName[], scopes: ScopeTree): Problem[] {
  const seen = new Set<string>();
  return items.flatMap(({ name, statement, own }) => {
    const reason = seen.has(name) ? "it is exported twice" : reasonOfName(name, own, scopes);
    seen.add(name);
    return reason === undefined ? [] : [problemAt(statement, reason)];
  });
}

function reasonOfName(name: string, own: string | undefined, scopes: ScopeTree) {
  if (name === "default" || name === "__esModule") return "it was made of an ES module; convert that one";
  if (!isBindable(name)) return `\`${name}\` cannot be the name of a variable`;
  if (own !== undefined) return undefined;
  if (bindingAtTop(name, scopes)) return `the file has another \`${name}\` at the top`;
  return scopes.free.has(name) ? `the file uses another \`${name}\`, of the global scope` : undefined;
}

const reservedWords = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof var void while with yield`.split(/\s+/),
);

/** Whether a module may have a variable of this name. */
export function isBindable(name: string): boolean {
  return !name.startsWith("#") && !reservedWords.has(name);
}
