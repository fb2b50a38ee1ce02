import ts from "@typescript/typescript6";
import type { Place } from "./program-references.ts";
import { toRepository } from "./program-tree.ts";

/** Ways through the compiler's trees that its public interface lacks. */

/** The innermost node at an index. */
export function nodeAt(source: ts.SourceFile | undefined, at: number): ts.Node | undefined {
  if (!source) return undefined;
  let found: ts.Node = source;
  for (let next: ts.Node | undefined = source; next; ) {
    found = next;
    next = ts.forEachChild(next, (child) => (child.getStart(source) <= at && at < child.end ? child : undefined));
  }
  return found;
}

/** Every use of a word as a name, in a file of the repository. */
export function identifiersNamed(name: string, source: ts.SourceFile): ts.Identifier[] {
  const found: ts.Identifier[] = [];
  if (toRepository(source.fileName) === undefined || !source.text.includes(name)) return found;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

export function placeOf(node: ts.Identifier): Place {
  const start = node.getStart();
  const path = toRepository(node.getSourceFile().fileName) ?? "";
  return { path, start, length: node.end - start, prefix: "", suffix: "" };
}

/** What a symbol is declared by, and what stands behind it where it is an alias. */
export function declarationsOf(symbol: ts.Symbol | undefined, checker: ts.TypeChecker): readonly ts.Node[] {
  if (!symbol) return [];
  const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
  const behind = isAlias ? checker.getAliasedSymbol(symbol).declarations : undefined;
  return [...(symbol.declarations ?? []), ...(behind ?? [])];
}
