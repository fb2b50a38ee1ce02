import ts from "@typescript/typescript6";
import { isBindable } from "./common-js-exports.ts";
import type { CommonJsFile } from "./common-js-file.ts";
import type { Load, LoadForm } from "./common-js-loads.ts";
import { type Problem, problemAt } from "./common-js-problem.ts";
import type { Splice } from "./text-edit.ts";

/** What a module gives to who imports it: one value, as `module.exports` was, or names. */
export type Shape =
  /** `named` are properties of the value that are exported by their names as well. */
  { kind: "value"; named: ReadonlySet<string> } | { kind: "names"; names: ReadonlySet<string> };

/** How an import shall stand for a load: the changes, or why it cannot. */
export interface ImportOrder {
  load: Load;
  specifier: string;
  shape: Shape;
}

/** Replaces calls of `require` by imports, keeping every other character of the file. */
export function writeImports(file: CommonJsFile, orders: readonly ImportOrder[]): Splice[] | Problem {
  const names = takenNames(file);
  const splices: Splice[] = [];
  for (const [statement, group] of Map.groupBy(orders, ({ load }) => load.statement)) {
    for (const written of writeStatement(file, statement, group, names)) {
      if ("reason" in written) return written;
      splices.push(written);
    }
  }
  return splices;
}

function takenNames({ scopes }: CommonJsFile): Set<string> {
  return new Set([...scopes.bindings.map(({ name }) => name), ...scopes.free.keys()]);
}

/** A statement becomes imports as a whole, or stays, with its imports before it. */
function writeStatement(
  file: CommonJsFile,
  statement: ts.Statement,
  orders: readonly ImportOrder[],
  names: Set<string>,
): (Splice | Problem)[] {
  const { text } = file.source;
  const clauses = orders.map(({ load: { form }, shape }) =>
    form.kind === "value" ? { reason: usedAsValue } : clauseOf(form, shape, text),
  );
  const isWhole = !ts.isVariableStatement(statement) || statement.declarationList.declarations.length === orders.length;
  const plain = clauses.flatMap((clause) => ("reason" in clause ? [] : [clause]));
  if (isWhole && plain.length === orders.length) {
    return orders.flatMap((order, index) => {
      const clause = plain[index];
      const before = orders[index - 1]?.load.call;
      return clause ? inPlace(order.load, before ? afterOther(clause, before, file) : clause, order, text) : [];
    });
  }
  return orders.flatMap((order, index): (Splice | Problem)[] => {
    if (order.shape.kind === "value") return beside(file, order, names);
    const clause = clauses[index];
    return [problemAt(order.load.call, clause && "reason" in clause ? clause.reason : usedAsValue)];
  });
}

const usedAsValue = "it exports names, and here it is used as one value, or beside other declarations";

/** `const a = require("a"), b = require("b")` becomes two imports. */
function afterOther(clause: Clause, before: ts.CallExpression, { source: { text } }: CommonJsFile): Clause {
  const lineStart = text.lastIndexOf("\n", clause.start - 1) + 1;
  const indent = /^\uFEFF?([ \t]*)/.exec(text.slice(lineStart))?.[1] ?? "";
  const line = `;${/\r?\n/.exec(text)?.[0] ?? "\n"}${indent}`;
  return { ...clause, start: endOfLoad(before), before: `${line}${clause.before}` };
}

interface Clause {
  /** What is replaced: from here to where the clause begins, and from where it ends to the name of the module. */
  start: number;
  clauseStart: number;
  clauseEnd: number;
  before: string;
  inner: Splice[];
}

/** What an import binds instead of a declaration; or why the declaration is to stay beside an import. */
function clauseOf(form: Exclude<LoadForm, { kind: "value" }>, shape: Shape, text: string): Clause | { reason: string } {
  if (form.kind === "bare") return { start: -1, clauseStart: -1, clauseEnd: -1, before: "", inner: [] };
  if (form.kind === "name") return clauseOfName(form, shape);
  const members = form.kind === "members" ? form.members : [form.member];
  const names = shape.kind === "names" ? shape.names : shape.named;
  const missing = members.find(({ key }) => !names.has(key));
  if (missing) return { reason: `it exports no \`${missing.key}\`` };
  return form.kind === "member" ? clauseOfMember(form) : clauseOfPattern(form, text);
}

function clauseOfName(form: Extract<LoadForm, { kind: "name" }>, shape: Shape): Clause | { reason: string } {
  const { list, name } = form;
  const span = { start: list.getStart(), clauseStart: name.getStart(), clauseEnd: name.end, inner: [] };
  if (shape.kind === "value") return { ...span, before: "import " };
  const reason = reasonAgainstNamespace(form, shape.names);
  return reason === undefined ? { ...span, before: "import * as " } : { reason };
}

function clauseOfMember({ list, member: { key, name } }: Extract<LoadForm, { kind: "member" }>): Clause {
  const bound = key === name.text ? key : `${key} as ${name.text}`;
  const at = { start: name.getStart(), end: name.end };
  const inner = [{ ...at, text: `{ ${bound} }` }];
  return { start: list.getStart(), clauseStart: at.start, clauseEnd: at.end, before: "import ", inner };
}

function clauseOfPattern(
  { list, pattern }: Extract<LoadForm, { kind: "members" }>,
  text: string,
): Clause | { reason: string } {
  const inner = pattern.elements.flatMap(({ propertyName, name }): Splice[] =>
    propertyName ? [{ start: propertyName.end, end: name.getStart(), text: " as " }] : [],
  );
  if (inner.some((splice) => hasComment(text, splice))) return { reason: "a comment stands in its pattern" };
  const span = { clauseStart: pattern.getStart(), clauseEnd: pattern.end };
  return { start: list.getStart(), ...span, before: "import ", inner };
}

/** A namespace is read-only and no ordinary object: only reads of what it exports are the same. */
function reasonAgainstNamespace({ binding }: Extract<LoadForm, { kind: "name" }>, names: ReadonlySet<string>) {
  const isRead = ({ parent }: ts.Identifier) =>
    ts.isPropertyAccessExpression(parent) && names.has(parent.name.text) && !isChanged(parent);
  return binding.uses.every((use) => isRead(use) && !ts.isExportSpecifier(use.parent))
    ? undefined
    : "its exports are used as an object, changed, or asked for a name that it does not export";
}

function isChanged(access: ts.PropertyAccessExpression): boolean {
  const { parent } = access;
  if (ts.isDeleteExpression(parent)) return true;
  return ts.isIdentifier(access.name) && isTargetOfWrite(access);
}

function isTargetOfWrite(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    return parent.left === node && kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  }
  return ts.isPostfixUnaryExpression(parent) || ts.isPrefixUnaryExpression(parent) || isInPattern(node);
}

/** `[m.a] = list`, `for (m.a of list)` */
function isInPattern({ parent }: ts.Node): boolean {
  return (
    ts.isArrayLiteralExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isForInStatement(parent) ||
    ts.isForOfStatement(parent)
  );
}

function hasComment(text: string, { start, end }: { start: number; end: number }): boolean {
  return /\/[/*]/.test(text.slice(start, end));
}

function inPlace(
  { call, literal }: Load,
  clause: Clause,
  { specifier }: ImportOrder,
  text: string,
): (Splice | Problem)[] {
  const from = literal.getStart();
  const isBare = clause.start === -1;
  const end = endOfLoad(call);
  const splices: Splice[] = isBare
    ? [{ start: call.getStart(), end: from, text: "import " }]
    : [
        { start: clause.start, end: clause.clauseStart, text: clause.before },
        ...clause.inner,
        { start: clause.clauseEnd, end: from, text: " from " },
      ];
  const all = [...splices, ...respell(literal, specifier), { start: literal.end, end, text: "" }];
  if (
    all.some(
      (splice) =>
        !clause.inner.includes(splice) &&
        hasComment(withoutLiteral(text, splice, literal), { start: 0, end: Infinity }),
    )
  ) {
    return [problemAt(call, "a comment stands inside of it")];
  }
  return all;
}

function withoutLiteral(text: string, { start, end }: Splice, literal: ts.Node): string {
  return start >= literal.getStart() && end <= literal.end ? "" : text.slice(start, end);
}

/** `require("x").key` ends where the key does. */
function endOfLoad(call: ts.CallExpression): number {
  const { parent } = call;
  return ts.isPropertyAccessExpression(parent) && ts.isVariableDeclaration(parent.parent) ? parent.end : call.end;
}

function respell(literal: ts.StringLiteralLike, specifier: string): Splice[] {
  const start = literal.getStart();
  // A template without substitutions is a text too, but no module specifier.
  const quote = ts.isStringLiteral(literal) ? (literal.getText()[0] ?? '"') : '"';
  if (specifier === literal.text && ts.isStringLiteral(literal)) return [];
  return [{ start, end: literal.end, text: `${quote}${specifier}${quote}` }];
}

/** An import of its own before the statement, and its name in the place of the call. */
function beside({ source: { text } }: CommonJsFile, order: ImportOrder, names: Set<string>): Splice[] {
  const { load, specifier } = order;
  const { call, literal, statement } = load;
  const name = freshName(specifier, names);
  const quote = ts.isStringLiteral(literal) ? (literal.getText()[0] ?? '"') : '"';
  const at = statement.getStart();
  const stop = text.slice(at, statement.end).endsWith(";") ? ";" : "";
  const line = /\r?\n/.exec(text)?.[0] ?? "\n";
  return [
    { start: at, end: at, text: `import ${name} from ${quote}${specifier}${quote}${stop}${line}` },
    { start: call.getStart(), end: call.end, text: name },
  ];
}

/** A name after the module that nothing in the file uses. */
function freshName(specifier: string, names: Set<string>): string {
  const words =
    specifier
      .replace(/^node:/, "")
      .replace(/\.[cm]?js$/, "")
      .replace(/\/index$/, "")
      .split("/")
      .at(-1) ?? "";
  const camel = words.replaceAll(/[^\p{ID_Continue}$]+(.)?/gu, (_, next: string | undefined) =>
    (next ?? "").toUpperCase(),
  );
  const base = /^[\p{ID_Start}$_]/u.test(camel) ? camel : `module${camel}`;
  const candidates = [base, ...Array.from({ length: names.size + 1 }, (_, index) => `${base}Module${index || ""}`)];
  const name = candidates.find((one) => !names.has(one) && isBindable(one)) ?? base;
  names.add(name);
  return name;
}
