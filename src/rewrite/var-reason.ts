import ts from "@typescript/typescript6";
import { earlyUse, type Known } from "./early-use.ts";
import { type FileKind, isExported } from "./file-kind.ts";
import { carrierOf, isInside } from "./first-run.ts";
import { isErased } from "./name-use.ts";
import { namesIn } from "./scope-declarations.ts";
import { type Binding, usesIn } from "./scope-tree.ts";
import { blockOf, type VarStatement, varListOf } from "./var-statement.ts";

/** Why one name of a `var` has to stay as it is. Every reason is about what a run of the code could show. */
export interface VarName {
  statement: VarStatement;
  name: ts.Identifier;
  variable: ts.VariableDeclaration;
  binding: Binding;
}

export interface VarContext extends Known {
  kind: FileKind;
  /** Code that reads names behind the back of every scope. */
  traps: readonly ts.Node[];
  /** A use of a name that no declaration of it would make it known to; told once for all its declarations. */
  strays: Map<Binding, ts.Identifier | "none">;
}

/** The first reason in words, or undefined when `let` means the same. */
export function reasonOfName(one: VarName, context: VarContext): string | undefined {
  const reason = reasonOfScope(one, context) ?? reasonOfTwins(one) ?? reasonOfValue(one, context);
  if (reason !== undefined) return reason;
  const stray = strayOf(one.binding, context);
  if (stray !== "none") return `it is used outside the block that declares it (line ${context.lineOf(stray)})`;
  for (const use of usesIn(one.binding, one.statement.block)) {
    const found = reasonOfUse(use, one, context);
    if (found !== undefined) return found;
  }
  return undefined;
}

const wrapper: ReadonlySet<string> = new Set(["exports", "require", "module", "__filename", "__dirname"]);

/** What the place of the declaration alone forbids. */
function reasonOfScope({ name, binding }: VarName, { kind, traps }: VarContext): string | undefined {
  const { node } = binding.scope;
  if (ts.isSourceFile(node)) {
    if (kind === "script")
      return "at the top of a script it is a global, and nothing proves that this file is a module";
    if (wrapper.has(name.text))
      return "Node gives a CommonJS module a parameter of this name, which `let` may not repeat";
  }
  if (name.text === "let" || name.text === "arguments") return "`let` may not declare this name, or would change it";
  const trap = traps.find((one) => one.pos >= node.pos && one.end <= node.end);
  if (trap) return `\`${/^\w+/.exec(trap.getText())?.[0] ?? "use asm"}\` in the same scope could depend on it`;
  return isCaught(name, node) ? "the `catch` around it has a name like this" : undefined;
}

function isCaught(name: ts.Identifier, scope: ts.Node): boolean {
  for (let node: ts.Node = name; node !== scope; node = node.parent) {
    if (!ts.isCatchClause(node) || !node.variableDeclaration) continue;
    if (namesIn(node.variableDeclaration.name).some(({ text }) => text === name.text)) return true;
  }
  return false;
}

/** Several declarations of one name: each must give it a value, for a stretch of the code of its own. */
function reasonOfTwins({ statement, name, variable, binding }: VarName): string | undefined {
  const others = binding.declarations.filter((declaration) => declaration !== name);
  if (others.length === 0) return undefined;
  if (!others.every(varListOf)) return "a parameter, a function or something else has the same name";
  const { block, isLoopHead } = statement;
  const isOwn = (isLoopHead || variable.initializer) && others.every((other) => !isInside(other, block));
  return isOwn ? undefined : "it is declared more than once";
}

function reasonOfValue({ statement, variable }: VarName, { isInCircle }: VarContext): string | undefined {
  const { isRepeated, isLoopHead } = statement;
  if (isRepeated && !isLoopHead && !variable.initializer)
    return "it keeps its value from one turn of a loop to the next";
  const written = variable.parent.parent;
  return isInCircle && ts.isVariableStatement(written) && isExported(written) ? circular : undefined;
}

const circular = "it is exported, and in a circular import another module could read it before it is declared";

function reasonOfUse(use: ts.Identifier, one: VarName, context: VarContext): string | undefined {
  const { statement, binding } = one;
  const { block, isInLoop } = statement;
  if (ts.isExportSpecifier(use.parent)) return context.isInCircle ? circular : undefined;
  if (isErased(use)) return undefined;
  if (carrierOf(use, block)) {
    if (isInLoop) return `a function made in a loop uses it (line ${context.lineOf(use)})`;
    if (binding.declarations.length > 1) return "it is declared more than once, and a function uses it";
  }
  return earlyUse(use, { ...one, block }, context);
}

function strayOf(binding: Binding, { strays }: VarContext): ts.Identifier | "none" {
  const known = strays.get(binding);
  if (known) return known;
  const blocks = binding.declarations.flatMap((declaration) => {
    const list = varListOf(declaration);
    return list ? [blockOf(list)] : [];
  });
  const isKnown = (use: ts.Identifier) =>
    ts.isExportSpecifier(use.parent) || blocks.some((block) => isInside(use, block));
  const found = binding.uses.find((use) => !isKnown(use)) ?? "none";
  strays.set(binding, found);
  return found;
}
