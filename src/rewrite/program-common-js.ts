import ts from "@typescript/typescript6";
import { declarationsOf, identifiersNamed, placeOf } from "./program-nodes.ts";
import type { Place, Start } from "./program-references.ts";
import type { OpenProject } from "./program-service.ts";

/**
 * Who reads a name that a file exports as `module.exports = { name }`. The language service takes that name for a
 * property that merely holds the value, and does not go on to those who require it.
 */
export function commonJsUses(
  exported: ts.ShorthandPropertyAssignment,
  projects: readonly OpenProject[],
): { places: Place[]; goOn: Start[] } {
  const found = { places: [] as Place[], goOn: [] as Start[] };
  const target = { file: exported.getSourceFile().fileName, at: exported.name.getStart(), name: exported.name.text };
  for (const project of projects) {
    const program = project.program();
    const checker = program.getTypeChecker();
    const own = program.getSourceFile(target.file);
    const value = own && exportedValue(own, target.at, checker);
    if (!value) continue;
    for (const node of program.getSourceFiles().flatMap((source) => identifiersNamed(target.name, source))) {
      if (!reads(node, value, checker)) continue;
      const place = placeOf(node);
      found.places.push(place);
      if (isOwnName(node)) found.goOn.push({ path: place.path, at: place.start });
    }
  }
  return found;
}

/** The declarations that stand for the exported value: the property itself, and what it holds. */
type Value = ReadonlySet<ts.Node>;

function exportedValue(source: ts.SourceFile, at: number, checker: ts.TypeChecker): Value | undefined {
  let shorthand: ts.ShorthandPropertyAssignment | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isShorthandPropertyAssignment(node) && node.name.getStart(source) === at) shorthand = node;
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (!shorthand) return undefined;
  const held = checker.getShorthandAssignmentValueSymbol(shorthand);
  return new Set([shorthand, ...(held?.declarations ?? [])]);
}

function reads(node: ts.Identifier, value: Value, checker: ts.TypeChecker): boolean {
  const { parent } = node;
  const isTarget = (symbol: ts.Symbol | undefined) => declarationsOf(symbol, checker).some((each) => value.has(each));
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return isTarget(checker.getSymbolAtLocation(node));
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) {
    return (parent.propertyName ?? parent.name) === node && isTarget(checker.getSymbolAtLocation(node));
  }
  if (!ts.isBindingElement(parent) || (parent.propertyName ?? parent.name) !== node) return false;
  const from = checker.getTypeAtLocation(parent.parent);
  return isTarget(from.getProperty(node.text));
}

/** `{ name }` in an import or a pattern: the same word names a local too. */
function isOwnName({ parent }: ts.Identifier): boolean {
  const isShort = ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isBindingElement(parent);
  return isShort && parent.propertyName === undefined;
}
