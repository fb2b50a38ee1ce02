import ts from "@typescript/typescript6";
import type { ExportedName, Exports } from "./common-js-exports.ts";
import type { CommonJsFile } from "./common-js-file.ts";
import { type Problem, problemAt } from "./common-js-problem.ts";
import type { Splice } from "./text-edit.ts";

/** Says in the words of ES modules what a file assigns to `exports`, where it stands. */
export function writeExports(file: CommonJsFile): Splice[] | Problem {
  const { exports, source } = file;
  const splices = exports.kind === "names" ? exports.items.flatMap(writeName) : writeWhole(exports, file);
  const broken = splices.find(({ start, end }) => start < end && /\/[/*]/.test(source.text.slice(start, end)));
  if (!broken) return splices;
  return { start: broken.start, end: broken.end, reason: "a comment stands inside of what would change" };
}

function writeName({ name, statement, value, own }: ExportedName): Splice[] {
  const start = statement.getStart();
  if (own === undefined) return [{ start, end: value.getStart(), text: `export const ${name} = ` }];
  const named = own === name ? name : `${own} as ${name}`;
  return [{ start, end: value.end, text: `export { ${named} }` }];
}

function writeWhole(exports: Exclude<Exports, { kind: "names" }>, file: CommonJsFile): Splice[] {
  if (exports.kind === "none") return [];
  const { statement, value } = exports;
  const head = { start: statement.getStart(), end: value.getStart(), text: "export default " };
  if (!wouldDeclare(value, file)) return [head];
  return [
    { ...head, text: `${head.text}(` },
    { start: value.end, end: value.end, text: ")" },
  ];
}

/** `export default function name` would make the name known in the whole file, where there may be another one. */
function wouldDeclare(value: ts.Expression, { scopes }: CommonJsFile): boolean {
  if (!ts.isFunctionExpression(value) && !ts.isClassExpression(value)) return false;
  const name = value.name?.text;
  if (name === undefined) return false;
  const isTaken = scopes.bindings.some((one) => one.name === name && ts.isSourceFile(one.scope.node));
  return isTaken || scopes.free.has(name);
}

/** A file that shall export names must not show its exports as a receiver. */
export function receiverProblem({ exports }: CommonJsFile): Problem | undefined {
  if (exports.kind !== "names") return undefined;
  for (const { value } of exports.items) {
    if (!ts.isFunctionExpression(value)) continue;
    const found = findThis(value.body);
    if (found) return problemAt(found, "`this` is the exports here when it is called on them");
  }
  return undefined;
}

function findThis(node: ts.Node): ts.Node | undefined {
  if (node.kind === ts.SyntaxKind.ThisKeyword) return node;
  if (ts.isClassLike(node) || (ts.isFunctionLike(node) && !ts.isArrowFunction(node))) return undefined;
  return ts.forEachChild(node, findThis);
}
