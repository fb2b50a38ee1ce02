import ts from "@typescript/typescript6";
import type { FileRewrite, SourceFile } from "./compiled-recipe.ts";
import { type ImportContext, type ImportUse, importUse, jsxNamesOf } from "./import-use.ts";
import { buildScopes } from "./scope-tree.ts";
import { type Findings, rewriteSyntax, type SyntaxFile } from "./syntax-file.ts";

/**
 * Imports that a file uses only as types say so: `import type`, or `type` before single names where others are values.
 * It removes no import, and nothing that a file merely loads: what nothing uses stays as it is.
 */
export function importType(file: SourceFile): FileRewrite {
  return rewriteSyntax(file, (text) => text.includes("import"), find);
}

function find(file: SyntaxFile): Findings {
  const context: ImportContext = { scopes: buildScopes(file.tree), jsxNames: jsxNamesOf(file.tree) };
  const found: Findings = { splices: [], kept: [] };
  for (const statement of file.tree.statements) {
    if (ts.isImportEqualsDeclaration(statement)) assigned(statement, context, found);
    const clause = ts.isImportDeclaration(statement) ? statement.importClause : undefined;
    if (clause && clause.phaseModifier === undefined) declared(clause, { file, context, found });
  }
  return found;
}

/** `import x = require("x")` */
function assigned(statement: ts.ImportEqualsDeclaration, context: ImportContext, found: Findings): void {
  if (statement.isTypeOnly || statement.modifiers || !ts.isExternalModuleReference(statement.moduleReference)) return;
  const use = importUse(statement.name, context);
  note(statement.name, use, found);
  if (use.kind === "type") afterKeyword(statement, found);
}

interface Work {
  file: SyntaxFile;
  context: ImportContext;
  found: Findings;
}

function declared(clause: ts.ImportClause, work: Work): void {
  const { name, namedBindings: bindings } = clause;
  const judge = (one: ts.Identifier): ImportUse => {
    const use = importUse(one, work.context);
    note(one, use, work.found);
    return use;
  };
  if (!bindings) {
    if (name && judge(name).kind === "type") afterKeyword(clause.parent, work.found);
    return;
  }
  if (ts.isNamedImports(bindings) && bindings.elements.length === 0) return;
  const first = name && judge(name);
  const rest = ts.isNamespaceImport(bindings)
    ? [{ name: bindings, use: judge(bindings.name) }]
    : bindings.elements.map((element) => ({ name: element, use: useOfSpecifier(element, judge) }));
  const isAllType = rest.every(({ use }) => use?.kind === "type");
  if (name) besideDefault(clause, name, { isType: first?.kind === "type", isAllType, rest }, work);
  else if (isAllType) afterKeyword(clause.parent, work.found);
  else insertTypes(rest, work.found);
}

/** Undefined where the name says `type` already. */
function useOfSpecifier(element: ts.ImportSpecifier, judge: (one: ts.Identifier) => ImportUse): ImportUse | undefined {
  return element.isTypeOnly ? undefined : judge(element.name);
}

type Rest = readonly { name: ts.ImportSpecifier | ts.NamespaceImport; use: ImportUse | undefined }[];

/** `import type` takes either a default or the others, so the two part where they differ or are both types. */
function besideDefault(
  clause: ts.ImportClause,
  name: ts.Identifier,
  { isType, isAllType, rest }: { isType: boolean; isAllType: boolean; rest: Rest },
  { file, found }: Work,
): void {
  const { parent: statement, namedBindings: bindings } = clause;
  const isNamespace = bindings !== undefined && ts.isNamespaceImport(bindings);
  if (!bindings || !(isType || (isAllType && isNamespace))) {
    insertTypes(rest, found);
    return;
  }
  const start = statement.getStart();
  const end = bindings.getStart();
  if (!/^import\s+[^\s,]+\s*,\s*$/.test(file.source.text.slice(start, end))) {
    found.kept.push({
      start,
      end: statement.end,
      reason: `${name.text}: a comment stands where the import would be parted`,
    });
    return;
  }
  const word = (isTyped: boolean) => (isTyped ? "import type" : "import");
  const text = `${word(isType)} ${name.getText()} ${tailOf(statement, file)}${word(isAllType)} `;
  found.splices.push({ start, end, text });
  if (!isAllType) insertTypes(rest, found);
}

/** The rest of an import of its own, up to where the next one begins: `from "x";` and a line's end. */
function tailOf(statement: ts.Node, { source: { text } }: SyntaxFile): string {
  const whole = ts.isImportDeclaration(statement)
    ? text.slice(statement.moduleSpecifier.getStart(), statement.end)
    : "";
  const lineStart = text.lastIndexOf("\n", statement.getStart() - 1) + 1;
  const indent = /^\uFEFF?([ \t]*)/.exec(text.slice(lineStart))?.[1] ?? "";
  return `from ${whole}${/\r?\n/.exec(text)?.[0] ?? "\n"}${indent}`;
}

function insertTypes(rest: Rest, found: Findings): void {
  for (const { name, use } of rest) {
    if (use?.kind !== "type" || ts.isNamespaceImport(name)) continue;
    // `{ type as as x }` would mean another thing.
    const isMisread = /^(?:as|type)$/.test((name.propertyName ?? name.name).getText());
    if (isMisread)
      found.kept.push({ start: name.getStart(), end: name.end, reason: "`type` before this name means another thing" });
    else found.splices.push({ start: name.getStart(), end: name.getStart(), text: "type " });
  }
}

function afterKeyword(statement: ts.Node, found: Findings): void {
  const at = statement.getStart() + "import".length;
  found.splices.push({ start: at, end: at, text: " type" });
}

function note(name: ts.Identifier, use: ImportUse, found: Findings): void {
  if (use.kind !== "doubtful") return;
  found.kept.push({ start: name.getStart(), end: name.end, reason: use.reason });
}
