import ts from "@typescript/typescript6";
import type { FileRewrite, SourceFile } from "./compiled-recipe.ts";
import { fileKindOf, mayBeInCircle } from "./file-kind.ts";
import { firstRunOf } from "./first-run.ts";
import { isWritten } from "./name-use.ts";
import { buildScopes, usesIn } from "./scope-tree.ts";
import { type Findings, rewriteSyntax, type SyntaxFile } from "./syntax-file.ts";
import { reasonOfName, type VarContext } from "./var-reason.ts";
import { misplaced, type VarStatement, varStatementsIn } from "./var-statement.ts";

/**
 * `var` becomes `const`, or `let` where a value is assigned later, but only where the file itself proves that nothing
 * else changes. It moves no declaration, splits none and renames nothing: what is in doubt stays, with the reason.
 */
export function noVar(file: SourceFile): FileRewrite {
  return rewriteSyntax(file, (text) => /\bvar\b/.test(text), find);
}

function find(file: SyntaxFile): Findings {
  const scopes = buildScopes(file.tree);
  const isInCircle = mayBeInCircle(file.tree);
  const context: VarContext = {
    kind: fileKindOf(file, scopes),
    isInCircle,
    firstRun: firstRunOf(scopes, isInCircle),
    lineOf: (node) => file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1,
    traps: trapsIn(file.tree),
    strays: new Map(),
  };
  const statements = varStatementsIn(file.tree, scopes);
  const reasons = reasonsToKeep(statements, context);
  const findings: Findings = { splices: [], kept: [] };
  for (const statement of statements) {
    const { list } = statement;
    const start = list.getStart();
    const reason = reasons.get(statement);
    if (reason !== undefined) findings.kept.push({ start, end: list.end, reason });
    else findings.splices.push({ start, end: start + "var".length, text: keywordOf(statement) });
  }
  return findings;
}

/** Code that reads names behind the back of every scope: `eval`, `with`, and `use asm`, which knows no `let`. */
function trapsIn(tree: ts.SourceFile): ts.Node[] {
  const traps: ts.Node[] = [];
  const seek = (node: ts.Node): void => {
    if (isTrap(node)) traps.push(node);
    ts.forEachChild(node, seek);
  };
  if (/\b(?:eval|with|asm)\b/.test(tree.text)) seek(tree);
  return traps;
}

function isTrap(node: ts.Node): boolean {
  if (ts.isWithStatement(node)) return true;
  if (ts.isCallExpression(node)) return ts.isIdentifier(node.expression) && node.expression.text === "eval";
  return ts.isExpressionStatement(node) && ts.isStringLiteral(node.expression) && node.expression.text === "use asm";
}

/** A name with several declarations changes at all of them or at none, and so does a statement with several names. */
function reasonsToKeep(statements: readonly VarStatement[], context: VarContext): Map<VarStatement, string> {
  const reasons = new Map<VarStatement, string>();
  const ofBinding = Map.groupBy(
    statements.flatMap((statement) => statement.names.map(({ binding }) => ({ statement, binding }))),
    ({ binding }) => binding,
  );
  for (const statement of statements) {
    const reason = reasonToKeep(statement, context);
    if (reason !== undefined) reasons.set(statement, reason);
  }
  for (let kept = [...reasons.keys()]; kept.length > 0; ) {
    const more = kept.flatMap(({ names }) => names.flatMap(({ binding }) => ofBinding.get(binding) ?? []));
    kept = [...new Set(more.map(({ statement }) => statement))].filter((statement) => !reasons.has(statement));
    for (const statement of kept) reasons.set(statement, "another declaration of the same name has to stay a `var`");
  }
  return reasons;
}

function reasonToKeep(statement: VarStatement, context: VarContext): string | undefined {
  const place = misplaced(statement);
  if (place !== undefined) return place;
  for (const one of statement.names) {
    const reason = one.binding ? reasonOfName({ ...one, statement, binding: one.binding }, context) : undefined;
    if (reason !== undefined) return `${one.name.text}: ${reason}`;
  }
  return undefined;
}

/** `const` where every name has a value from the start and never gets another, as ESLint's prefer-const has it. */
function keywordOf({ names, list, block, isLoopHead }: VarStatement): "const" | "let" {
  const isGiven = isLoopHead || list.declarations.every(({ initializer }) => initializer);
  const isFixed = names.every(({ binding }) => !binding || !usesIn(binding, block).some(isWritten));
  return isGiven && isFixed ? "const" : "let";
}
