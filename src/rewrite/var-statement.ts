import ts from "@typescript/typescript6";
import { namesIn } from "./scope-declarations.ts";
import type { Binding, ScopeTree } from "./scope-tree.ts";

/** One `var` keyword with all that it declares: it changes as a whole, or not at all. */
export interface VarStatement {
  list: ts.VariableDeclarationList;
  /** The statement list, or the loop, in which `let` would make its names known. */
  block: ts.Node;
  /** Whether a loop of the same function holds it or has it in its head. */
  isInLoop: boolean;
  /** Whether a loop of the same function runs it again and again, which a loop does not do with its own head. */
  isRepeated: boolean;
  /** Names in the head of `for (... in ...)` and `for (... of ...)` get a value on each turn. */
  isLoopHead: boolean;
  names: { name: ts.Identifier; variable: ts.VariableDeclaration; binding: Binding | undefined }[];
}

export function varStatementsIn(tree: ts.SourceFile, scopes: ScopeTree): VarStatement[] {
  const found: VarStatement[] = [];
  const seek = (node: ts.Node): void => {
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0) {
      found.push(toStatement(node, scopes));
    }
    ts.forEachChild(node, seek);
  };
  seek(tree);
  return found;
}

function toStatement(list: ts.VariableDeclarationList, scopes: ScopeTree): VarStatement {
  const { parent } = list;
  return {
    list,
    block: blockOf(list),
    isInLoop: isInLoop(list),
    isRepeated: isInLoop(ts.isVariableStatement(parent) ? list : parent),
    isLoopHead: ts.isForInStatement(parent) || ts.isForOfStatement(parent),
    names: list.declarations.flatMap((variable) =>
      namesIn(variable.name).map((name) => ({
        name,
        variable,
        binding: scopes.declared(name).find(({ meaning }) => meaning === "value"),
      })),
    ),
  };
}

function isInLoop(node: ts.Node): boolean {
  for (let at = node.parent; at && !isFunctionEdge(at); at = at.parent) {
    if (ts.isIterationStatement(at, false)) return true;
  }
  return false;
}

function isFunctionEdge(node: ts.Node): boolean {
  return ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node) || ts.isPropertyDeclaration(node);
}

/** Whether it can become `let` where it stands at all; if not, in words why. */
export function misplaced({ list, block, isLoopHead }: VarStatement): string | undefined {
  if (isAmbient(list)) return "it only declares what exists elsewhere";
  if (ts.isCaseOrDefaultClause(block)) return "it is declared in a `case`, where other cases could see it half made";
  if (isLoopHead && list.declarations.some(({ initializer }) => initializer))
    return "the head of the loop gives it a value";
  const isPlaced =
    ts.isSourceFile(block) || ts.isBlock(block) || ts.isModuleBlock(block) || ts.isForStatement(block) || isLoopHead;
  return isPlaced ? undefined : "it is the only statement of a branch, a loop or a label";
}

function isAmbient(node: ts.Node): boolean {
  for (let at = node; at; at = at.parent) {
    if (!ts.canHaveModifiers(at)) continue;
    if (ts.getModifiers(at)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword)) return true;
  }
  return false;
}

/** The statement that an identifier is declared by, if it is a `var`. */
export function varListOf(name: ts.Identifier): ts.VariableDeclarationList | undefined {
  let node: ts.Node = name.parent;
  while (ts.isBindingElement(node) || ts.isObjectBindingPattern(node) || ts.isArrayBindingPattern(node))
    node = node.parent;
  return ts.isVariableDeclaration(node) && ts.isVariableDeclarationList(node.parent) ? node.parent : undefined;
}

/** Where `let` would make the names of such a statement known. */
export function blockOf({ parent }: ts.VariableDeclarationList): ts.Node {
  return ts.isVariableStatement(parent) ? parent.parent : parent;
}
