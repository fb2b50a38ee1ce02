import ts from "@typescript/typescript6";
import { defaultExport, membersNamed, namesIn } from "./program-members.ts";
import { quoted } from "./program-scope.ts";

/**
 * Finds the one thing that a name in a file declares: `name`, `Class.member`, `Class.prototype.member`,
 * `namespace.name`, `default`. What is declared elsewhere, or twice, is refused with where it is.
 */
export interface Declared {
  /** UTF-16 index of the name in its file. */
  at: number;
  /** As it is written there. */
  name: string;
  /** A member of a type or an object: reserved words are names there too. */
  isMember: boolean;
}

export function findDeclared(
  symbol: string,
  source: ts.SourceFile,
  checker: ts.TypeChecker,
): Declared | { refused: string } {
  const file = source.fileName.replace(/^\/tree\//, "");
  if (symbol === "default") return oneOf(symbol, defaultExport(source), { source, checker, file });
  const [first = "", ...inner] = symbol.split(".");
  let names = membersNamed([source], first, { isStatic: undefined });
  if (names.length === 0 && inner.length === 0) names = anywhereIn(source, symbol);
  if (names.length === 0) return { refused: notFound([first], { file, owners: [source] }) };
  for (const [index, step] of inner.entries()) {
    if (isSide(step) && index < inner.length - 1) continue;
    const owners = names.map(({ parent }) => parent);
    names = membersNamed(owners, step, { isStatic: sides[inner[index - 1] ?? ""] });
    if (names.length === 0) return { refused: notFound([first, ...inner.slice(0, index + 1)], { file, owners }) };
  }
  return oneOf(symbol, names, { source, checker, file });
}

/** Between a class and its member: which of its two sides is meant. */
const sides: Readonly<Record<string, boolean>> = { prototype: false, static: true };

function isSide(step: string): boolean {
  return Object.hasOwn(sides, step);
}

interface Place {
  source: ts.SourceFile;
  checker: ts.TypeChecker;
  file: string;
}

function oneOf(
  symbol: string,
  names: readonly ts.Node[],
  { source, checker, file }: Place,
): Declared | { refused: string } {
  const symbols = new Set(names.map((name) => identityOf(name, checker)));
  const [first] = names;
  if (!first) return { refused: `${file} has no default export` };
  if (symbols.size > 1) {
    const lines = names.map((name) => lineOf(name, source)).join(", ");
    const remedy = symbol.includes(".")
      ? "write Class.static.member or Class.prototype.member"
      : "name the function, class or namespace around it too where that tells them apart";
    return { refused: `${quoted(symbol)} is declared ${symbols.size} times in ${file} (lines ${lines}): ${remedy}` };
  }
  const origin = importedFrom(first, checker);
  if (origin !== undefined) {
    return {
      refused: `${file} does not declare ${quoted(symbol)}, it imports it${origin}: name the file that declares it`,
    };
  }
  if (ts.isStatement(first)) {
    return { refused: `the default export of ${file} has no name that could be changed` };
  }
  return { at: first.getStart(source), name: first.getText(source), isMember: isMemberName(first) };
}

/** Overloads, merged declarations, a getter and its setter are one thing. */
function identityOf(name: ts.Node, checker: ts.TypeChecker): ts.Symbol | ts.Node {
  const found = checker.getSymbolAtLocation(name);
  return found ? checker.getExportSymbolOfSymbol(found) : name;
}

function importedFrom(name: ts.Node, checker: ts.TypeChecker): string | undefined {
  const { parent } = name;
  const isReExport =
    ts.isExportSpecifier(parent) && parent.parent.parent.moduleSpecifier !== undefined && !parent.propertyName;
  const isImport = ts.isImportSpecifier(parent) || ts.isImportClause(parent) || ts.isNamespaceImport(parent);
  if (!isReExport && !isImport) return undefined;
  const found = checker.getSymbolAtLocation(name);
  const target = found && (found.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(found) : undefined;
  const from = target?.declarations?.[0]?.getSourceFile().fileName.replace(/^\/tree\//, "");
  return from === undefined ? "" : ` from ${from}`;
}

function isMemberName({ parent }: ts.Node): boolean {
  return (
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent) ||
    ts.isObjectLiteralElement(parent) ||
    ts.isEnumMember(parent)
  );
}

/** Where nothing at the top has that name: what is declared inside functions and blocks. */
function anywhereIn(source: ts.SourceFile, name: string): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    const named = isLocal(node) ? ts.getNameOfDeclaration(node) : undefined;
    if (named && ts.isIdentifier(named) && named.text === name) found.push(named);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isLocal(node: ts.Node): node is ts.Declaration {
  return (
    ts.isVariableDeclaration(node) ||
    ts.isBindingElement(node) ||
    ts.isParameter(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isEnumDeclaration(node)
  );
}

function lineOf(node: ts.Node, source: ts.SourceFile): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

function notFound(steps: readonly string[], { file, owners }: { file: string; owners: readonly ts.Node[] }): string {
  const names = [...new Set(owners.flatMap(namesIn))];
  const shown = names.slice(0, 12).join(", ") + (names.length > 12 ? `, and ${names.length - 12} more` : "");
  const inside = steps.length === 1 ? file : `${steps.slice(0, -1).join(".")} in ${file}`;
  return `${inside} declares no ${quoted(steps.at(-1) ?? "")}; it declares ${shown || "nothing with a name"}`;
}
