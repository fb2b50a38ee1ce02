import ts from "@typescript/typescript6";
import { isBindable } from "./common-js-exports.ts";
import type { CommonJsFile } from "./common-js-file.ts";
import type { Load } from "./common-js-loads.ts";
import { type Problem, problemAt } from "./common-js-problem.ts";
import { type Clause, clauseOf, hasComment, type Shape } from "./import-clause.ts";
import type { Splice } from "./text-edit.ts";

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
  const rest = { start: literal.end, end, text: "" };
  const written = [...splices, rest].filter((splice) => !clause.inner.includes(splice));
  if (written.some((splice) => hasComment(text, splice))) return [problemAt(call, "a comment stands inside of it")];
  return [...splices, ...respell(literal, specifier), rest];
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
