import ts from "@typescript/typescript6";

/** The names that a file, a namespace, a type or an object declares directly inside itself: syntax only, no types. */
interface Wanted {
  /** Of a class, only static members, or only those that are not; undefined for both. */
  isStatic: boolean | undefined;
}

/** The name nodes of this name directly inside any of these declarations. */
export function membersNamed(owners: readonly ts.Node[], name: string, { isStatic }: Wanted): ts.Node[] {
  return owners.flatMap(declaredIn).filter((node) => {
    if (textOf(node) !== name) return false;
    return isStatic === undefined || !ts.isClassElement(node.parent) || isStaticMember(node.parent) === isStatic;
  });
}

/** What can be asked for directly inside. */
export function namesIn(owner: ts.Node): string[] {
  return declaredIn(owner).map(textOf);
}

/** What `default` stands for: the names of what is exported so; the statement itself where it has none. */
export function defaultExport(source: ts.SourceFile): ts.Node[] {
  return source.statements.flatMap((statement) => defaultIn(statement, source));
}

function defaultIn(statement: ts.Statement, source: ts.SourceFile): ts.Node[] {
  if (ts.isExportAssignment(statement)) return statement.isExportEquals ? [] : assigned(statement, source);
  if (ts.isExportDeclaration(statement)) return exportedAsDefault(statement, source);
  const isDefault = ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(isDefaultWord);
  if (!isDefault) return [];
  return isDeclarationStatement(statement) && statement.name ? [statement.name] : [statement];
}

function assigned(statement: ts.ExportAssignment, source: ts.SourceFile): ts.Node[] {
  const { expression } = statement;
  return ts.isIdentifier(expression) ? membersNamed([source], expression.text, { isStatic: undefined }) : [statement];
}

function exportedAsDefault({ moduleSpecifier, exportClause }: ts.ExportDeclaration, source: ts.SourceFile): ts.Node[] {
  const elements = !moduleSpecifier && exportClause && ts.isNamedExports(exportClause) ? exportClause.elements : [];
  const local = elements.find(({ name }) => name.text === "default")?.propertyName?.text;
  return local === undefined ? [] : membersNamed([source], local, { isStatic: undefined });
}

function isDefaultWord({ kind }: ts.ModifierLike): boolean {
  return kind === ts.SyntaxKind.DefaultKeyword;
}

function isStaticMember(node: ts.ClassElement): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword)
  );
}

function textOf(node: ts.Node): string {
  const isText = ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isStringLiteralLike(node);
  return isText ? node.text : node.getText();
}

function declaredIn(owner: ts.Node): ts.Node[] {
  if (ts.isSourceFile(owner) || ts.isModuleBlock(owner)) return owner.statements.flatMap(namesOfStatement);
  if (ts.isModuleDeclaration(owner)) return owner.body ? declaredIn(owner.body) : [];
  if (ts.isClassLike(owner)) return owner.members.flatMap(namesOfMember);
  if (ts.isInterfaceDeclaration(owner) || ts.isTypeLiteralNode(owner) || ts.isEnumDeclaration(owner)) {
    return owner.members.flatMap(nameOf);
  }
  if (ts.isObjectLiteralExpression(owner)) return owner.properties.flatMap(nameOf);
  if (ts.isFunctionDeclaration(owner))
    return [...owner.parameters.flatMap(({ name }) => bound(name)), ...localsOf(owner.body)];
  return insideOf(owner).flatMap(declaredIn);
}

/** What stands between a name and what it declares the members of. */
function insideOf(owner: ts.Node): ts.Node[] {
  if (ts.isVariableDeclaration(owner) || ts.isPropertyDeclaration(owner)) return present(owner.type, owner.initializer);
  if (ts.isPropertyAssignment(owner)) return [owner.initializer];
  if (ts.isPropertySignature(owner)) return present(owner.type);
  if (ts.isTypeAliasDeclaration(owner) || ts.isParenthesizedTypeNode(owner)) return [owner.type];
  if (ts.isIntersectionTypeNode(owner) || ts.isUnionTypeNode(owner)) return [...owner.types];
  if (ts.isAsExpression(owner) || ts.isSatisfiesExpression(owner) || ts.isParenthesizedExpression(owner))
    return [owner.expression];
  return ts.isBinaryExpression(owner) ? [owner.right] : [];
}

function present(...nodes: readonly (ts.Node | undefined)[]): ts.Node[] {
  return nodes.flatMap((node) => node ?? []);
}

function localsOf(body: ts.Block | undefined): ts.Node[] {
  return body ? body.statements.flatMap(namesOfStatement) : [];
}

function namesOfStatement(statement: ts.Statement): ts.Node[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => bound(name));
  if (ts.isImportDeclaration(statement)) return importedNames(statement.importClause);
  if (ts.isExportDeclaration(statement)) return exportedNames(statement.exportClause);
  if (ts.isExpressionStatement(statement)) return commonJsNames(statement.expression);
  return isDeclarationStatement(statement) ? present(statement.name) : [];
}

type NamedStatement =
  | ts.FunctionDeclaration
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.EnumDeclaration
  | ts.ModuleDeclaration
  | ts.ImportEqualsDeclaration;

function isDeclarationStatement(node: ts.Statement): node is NamedStatement {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isEnumDeclaration(node) ||
    ts.isModuleDeclaration(node) ||
    ts.isImportEqualsDeclaration(node)
  );
}

function bound(name: ts.BindingName): ts.Node[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? bound(element.name) : []));
}

function importedNames(clause: ts.ImportClause | undefined): ts.Node[] {
  const { name, namedBindings } = clause ?? {};
  if (namedBindings && ts.isNamespaceImport(namedBindings)) return present(name, namedBindings.name);
  return present(name, ...(namedBindings?.elements.map((element) => element.name) ?? []));
}

/** `export { a }` of a local declares nothing; `export { a as b }` and `export { a } from` do. */
function exportedNames(clause: ts.NamedExportBindings | undefined): ts.Node[] {
  if (!clause) return [];
  if (ts.isNamespaceExport(clause)) return [clause.name];
  const isOfAnother = clause.parent.moduleSpecifier !== undefined;
  return clause.elements.filter((each) => isOfAnother || each.propertyName).map(({ name }) => name);
}

/** `exports.a = ...`, `module.exports.a = ...`, `module.exports = { a }`. */
function commonJsNames(expression: ts.Expression): ts.Node[] {
  if (!ts.isBinaryExpression(expression) || expression.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return [];
  const { left, right } = expression;
  const target = left.getText();
  if (target === "module.exports" && ts.isObjectLiteralExpression(right)) {
    return right.properties.filter((each) => !ts.isShorthandPropertyAssignment(each)).flatMap(nameOf);
  }
  return ts.isPropertyAccessExpression(left) && /^(?:module\.)?exports\.[\w$]+$/.test(target) ? [left.name] : [];
}

function namesOfMember(member: ts.ClassElement): ts.Node[] {
  if (!ts.isConstructorDeclaration(member)) return nameOf(member);
  const own = member.parameters.filter((parameter) => ts.isParameterPropertyDeclaration(parameter, member));
  return [...own.flatMap(({ name }) => bound(name)), ...(member.body?.statements.flatMap(assignedToThis) ?? [])];
}

/** `this.a = ...`, which is how JavaScript declares it. */
function assignedToThis(statement: ts.Statement): ts.Node[] {
  if (!/\.[cm]?jsx?$/.test(statement.getSourceFile().fileName) || !ts.isExpressionStatement(statement)) return [];
  const { expression } = statement;
  const left = ts.isBinaryExpression(expression) ? expression.left : undefined;
  const isOwn = left && ts.isPropertyAccessExpression(left) && left.expression.kind === ts.SyntaxKind.ThisKeyword;
  return isOwn ? [left.name] : [];
}

function nameOf(node: { name?: ts.Node | undefined }): ts.Node[] {
  return node.name && !ts.isComputedPropertyName(node.name) ? [node.name] : [];
}
