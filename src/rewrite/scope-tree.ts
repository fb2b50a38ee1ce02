import ts from "@typescript/typescript6";
import { useOf } from "./name-use.ts";
import { type Declared, declaredBy, type Meaning } from "./scope-declarations.ts";

/**
 * Which name means which declaration, within one file. It knows nothing of other files, and refuses to be clever: a
 * function's parameters and body are one scope, and a function in a block is a name of the block and of the function
 * around it, as in sloppy code. Where that is too many, code is left as it is.
 */
export interface ScopeTree {
  bindings: readonly Binding[];
  /** What a name that is declared in this file means, by its declaring identifier. */
  declared(name: ts.Identifier): readonly Binding[];
  /** Uses of names that nothing in the file declares. */
  free: ReadonlyMap<string, readonly ts.Identifier[]>;
}

export interface Binding {
  name: string;
  meaning: Meaning;
  scope: Scope;
  declarations: ts.Identifier[];
  /** Every use of the name, in the order of the text; declarations are not among them. */
  uses: ts.Identifier[];
}

export interface Scope {
  node: ts.Node;
  parent: Scope | undefined;
  /** Whether `var` stays in it. */
  holdsVars: boolean;
  names: Record<Meaning, Map<string, Binding>>;
}

export function buildScopes(file: ts.SourceFile): ScopeTree {
  const building: Building = { bindings: [], uses: [], byName: new Map() };
  collect(file, newScope(file, undefined), building);
  const free = resolve(building);
  for (const { uses } of building.bindings) uses.sort((one, other) => one.pos - other.pos);
  return { bindings: building.bindings, declared: (name) => building.byName.get(name) ?? [], free };
}

interface Building {
  bindings: Binding[];
  uses: { name: ts.Identifier; scope: Scope; meaning: Meaning }[];
  byName: Map<ts.Identifier, Binding[]>;
}

function collect(node: ts.Node, around: Scope, building: Building): void {
  if (ts.isIdentifier(node)) {
    const use = building.byName.has(node) ? "label" : useOf(node);
    if (use !== "label") building.uses.push({ name: node, scope: around, meaning: use });
    return;
  }
  for (const declared of declaredBy(node, "outside")) declare(declared, around, building);
  const scope = opensScope(node) ? newScope(node, around) : around;
  for (const declared of declaredBy(node, "inside")) declare(declared, scope, building);
  ts.forEachChild(node, (child) => collect(child, scope, building));
}

function newScope(node: ts.Node, parent: Scope | undefined): Scope {
  const holdsVars =
    ts.isSourceFile(node) ||
    ts.isFunctionLike(node) ||
    ts.isClassStaticBlockDeclaration(node) ||
    ts.isModuleBlock(node);
  return { node, parent, holdsVars, names: { value: new Map(), type: new Map() } };
}

/** A function's body is no scope of its own, nor is the block of a static block. */
function opensScope(node: ts.Node): boolean {
  if (ts.isBlock(node)) return !ts.isFunctionLike(node.parent) && !ts.isClassStaticBlockDeclaration(node.parent);
  return (
    ts.isFunctionLike(node) ||
    ts.isClassLike(node) ||
    ts.isClassStaticBlockDeclaration(node) ||
    ts.isCaseBlock(node) ||
    ts.isForStatement(node) ||
    ts.isForInStatement(node) ||
    ts.isForOfStatement(node) ||
    ts.isCatchClause(node) ||
    ts.isModuleBlock(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isConditionalTypeNode(node) ||
    ts.isMappedTypeNode(node)
  );
}

function declare({ name, meanings, reach }: Declared, around: Scope, building: Building): void {
  for (const scope of scopesReached(around, reach)) {
    for (const meaning of meanings) {
      const binding = bindingIn(scope, name.text, meaning, building);
      binding.declarations.push(name);
      building.byName.set(name, [...(building.byName.get(name) ?? []), binding]);
    }
  }
}

function scopesReached(around: Scope, reach: Declared["reach"]): Set<Scope> {
  switch (reach) {
    case "block":
      return new Set([around]);
    case "function":
      return new Set([outwards(around, (scope) => scope.holdsVars)]);
    case "both":
      return new Set([around, outwards(around, (scope) => scope.holdsVars)]);
    case "file":
      return new Set([outwards(around, (scope) => scope.parent === undefined)]);
  }
}

function outwards(scope: Scope, isIt: (scope: Scope) => boolean): Scope {
  let at = scope;
  while (!isIt(at) && at.parent) at = at.parent;
  return at;
}

function bindingIn(scope: Scope, name: string, meaning: Meaning, building: Building): Binding {
  const known = scope.names[meaning].get(name);
  if (known) return known;
  const binding = { name, meaning, scope, declarations: [], uses: [] };
  scope.names[meaning].set(name, binding);
  building.bindings.push(binding);
  return binding;
}

function resolve({ uses }: Building): Map<string, ts.Identifier[]> {
  const free = new Map<string, ts.Identifier[]>();
  for (const { name, scope, meaning } of uses) {
    const binding = find(scope, name.text, meaning);
    if (binding) binding.uses.push(name);
    else if (!free.get(name.text)?.push(name)) free.set(name.text, [name]);
  }
  return free;
}

function find(scope: Scope, name: string, meaning: Meaning): Binding | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const binding = at.names[meaning].get(name);
    if (binding) return binding;
  }
  return undefined;
}

/** The uses of a name within a node, found without a look at the others. */
export function usesIn({ uses }: Binding, node: ts.Node): ts.Identifier[] {
  const first = firstFrom(uses, node.pos);
  return uses.slice(first, Math.max(first, firstFrom(uses, node.end)));
}

/** The index of the first use that does not begin before a place. */
function firstFrom(uses: readonly ts.Identifier[], place: number): number {
  let low = 0;
  let high = uses.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((uses[middle]?.pos ?? place) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
