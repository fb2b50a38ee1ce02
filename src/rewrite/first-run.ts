import ts from "@typescript/typescript6";
import { isExported } from "./file-kind.ts";
import type { ScopeTree } from "./scope-tree.ts";

/**
 * From which place of the text on a function could be running, at the earliest. A function declaration is there from the
 * start of its block, so the first place that names it counts, or that of a function which does. All functions of a
 * block are looked at together: each asks for the others.
 */
export type FirstRun = (carrier: ts.Node, block: ts.Node) => number;

/** Before everything: it is named where nobody here can see, or where test tools move it. */
const atOnce = -1;

export function firstRunOf(scopes: ScopeTree, isInCircle: boolean): FirstRun {
  const byBlock = new Map<ts.Node, ReadonlyMap<ts.Node, number>>();
  return (carrier, block) => {
    if (!ts.isFunctionDeclaration(carrier)) return placeOf(carrier);
    const known = byBlock.get(block) ?? firstRunsIn(block, scopes, isInCircle);
    byBlock.set(block, known);
    return known.get(carrier) ?? atOnce;
  };
}

/** The outermost function between a use and the block; undefined when the use runs with the block itself. */
export function carrierOf(use: ts.Node, block: ts.Node): ts.Node | undefined {
  let carrier: ts.Node | undefined;
  for (let node = use.parent; node && node !== block; node = node.parent) if (isCarrier(node)) carrier = node;
  return carrier;
}

function isCarrier(node: ts.Node): boolean {
  return ts.isFunctionLike(node) || ts.isPropertyDeclaration(node) || ts.isClassStaticBlockDeclaration(node);
}

function placeOf(node: ts.Node): number {
  return isHoisted(node) ? atOnce : node.getStart();
}

/** `jest.mock(...)` and the like stand where they stand for people only: test tools move them to the top of the file. */
export function isHoisted(use: ts.Node): boolean {
  for (let node = use; node; node = node.parent) {
    if (ts.isCallExpression(node) && isHoistedCall(node.expression)) return true;
  }
  return false;
}

const hoisted = new Set(["mock", "unmock", "deepUnmock", "enableAutomock", "disableAutomock", "hoisted"]);

function isHoistedCall(callee: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(callee) || !hoisted.has(callee.name.text)) return false;
  let root: ts.Expression = callee.expression;
  while (ts.isPropertyAccessExpression(root) || ts.isCallExpression(root)) root = root.expression;
  return ts.isIdentifier(root) && /^(?:jest|vi|vitest)$/.test(root.text);
}

interface Calls {
  /** The first place that names a function, apart from other function declarations. */
  first: Map<ts.Node, number>;
  /** The functions that a function declaration names. */
  named: Map<ts.Node, ts.Node[]>;
}

function firstRunsIn(block: ts.Node, scopes: ScopeTree, isInCircle: boolean): ReadonlyMap<ts.Node, number> {
  const calls: Calls = { first: new Map(), named: new Map() };
  for (const one of functionsIn(block)) noteUses(one, { block, scopes, isInCircle }, calls);
  const inOrder = [...calls.first].toSorted(([, one], [, other]) => one - other);
  const runs = new Map<ts.Node, number>();
  for (const [first, place] of inOrder) {
    for (const open = [first]; open.length > 0; ) {
      const one = open.pop();
      if (!one || runs.has(one)) continue;
      runs.set(one, place);
      open.push(...(calls.named.get(one) ?? []));
    }
  }
  return runs;
}

function functionsIn(block: ts.Node): ts.FunctionDeclaration[] {
  const found: ts.FunctionDeclaration[] = [];
  const seek = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node)) found.push(node);
    if (!isCarrier(node)) ts.forEachChild(node, seek);
  };
  ts.forEachChild(block, seek);
  return found;
}

interface Around {
  block: ts.Node;
  scopes: ScopeTree;
  isInCircle: boolean;
}

function noteUses(one: ts.FunctionDeclaration, around: Around, calls: Calls): void {
  const uses = one.name ? around.scopes.declared(one.name).flatMap((binding) => binding.uses) : [];
  const places = uses.filter((use) => !isInside(use, one)).map((use) => placeOfUse(use, around));
  let first = isExported(one) && around.isInCircle ? atOnce : Number.POSITIVE_INFINITY;
  for (const place of places) {
    if (typeof place === "number") first = Math.min(first, place);
    else if (!calls.named.get(place)?.push(one)) calls.named.set(place, [one]);
  }
  calls.first.set(one, first);
}

/** Where a function is named: a place, or the function declaration that does. */
function placeOfUse(use: ts.Identifier, { block, isInCircle }: Around): number | ts.FunctionDeclaration {
  if (!isInside(use, block)) return atOnce;
  if (ts.isExportSpecifier(use.parent)) return isInCircle ? atOnce : Number.POSITIVE_INFINITY;
  const caller = carrierOf(use, block);
  return caller && ts.isFunctionDeclaration(caller) ? caller : placeOf(caller ?? use);
}

/** Whether a node is part of another one. */
export function isInside(inner: ts.Node, outer: ts.Node): boolean {
  return outer.pos <= inner.pos && inner.end <= outer.end;
}
