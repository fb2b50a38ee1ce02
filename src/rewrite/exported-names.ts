import ts from "@typescript/typescript6";
import { isModuleStatement } from "./file-kind.ts";

/** The names an ES module exports; undefined when only another file knows them. */
export function namesExported(tree: ts.SourceFile): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const statement of tree.statements.filter(isModuleStatement)) {
    const own = namesOf(statement);
    if (!own) return undefined;
    for (const name of own) names.add(name);
  }
  return names;
}

function namesOf(statement: ts.Statement): string[] | undefined {
  if (ts.isImportDeclaration(statement)) return [];
  if (ts.isExportAssignment(statement)) return ["default"];
  if (ts.isExportDeclaration(statement)) {
    const { exportClause } = statement;
    if (!exportClause) return undefined;
    return ts.isNamedExports(exportClause)
      ? exportClause.elements.map(({ name }) => name.text)
      : [exportClause.name.text];
  }
  return namesDeclared(statement);
}

function namesDeclared(statement: ts.Statement): string[] | undefined {
  if (ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(isDefault)) return ["default"];
  if (ts.isVariableStatement(statement)) return plainNames(statement.declarationList);
  const isNamed = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement);
  return isNamed && statement.name ? [statement.name.text] : undefined;
}

function isDefault({ kind }: ts.ModifierLike): boolean {
  return kind === ts.SyntaxKind.DefaultKeyword;
}

function plainNames({ declarations }: ts.VariableDeclarationList): string[] | undefined {
  const names = declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  return names.length === declarations.length ? names : undefined;
}
