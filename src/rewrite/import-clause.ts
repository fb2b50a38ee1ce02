import ts from "@typescript/typescript6";
import type { LoadForm } from "./common-js-loads.ts";
import { isWritten } from "./name-use.ts";
import type { Splice } from "./text-edit.ts";

/**
 * What an import binds in the place of a declaration. Where a module exports names, the import is a view of them: it can
 * be read by those names, and nothing else that one can do with an object is the same.
 */
export interface Clause {
  /** What is replaced: from here to where the clause begins, and from where it ends to the name of the module. */
  start: number;
  clauseStart: number;
  clauseEnd: number;
  before: string;
  inner: Splice[];
}

/** Or why the declaration has to stay, beside an import. */
export function clauseOf(
  form: Exclude<LoadForm, { kind: "value" }>,
  shape: Shape,
  text: string,
): Clause | { reason: string } {
  if (form.kind === "bare") return { start: -1, clauseStart: -1, clauseEnd: -1, before: "", inner: [] };
  if (form.kind === "name") return clauseOfName(form, shape);
  const members = form.kind === "members" ? form.members : [form.member];
  const names = shape.kind === "names" ? shape.names : shape.named;
  const missing = members.find(({ key }) => !names.has(key));
  if (missing) return { reason: `it exports no \`${missing.key}\`` };
  return form.kind === "member" ? clauseOfMember(form) : clauseOfPattern(form, text);
}

function clauseOfName(form: Extract<LoadForm, { kind: "name" }>, shape: Shape): Clause | { reason: string } {
  const { list, name } = form;
  const span = { start: list.getStart(), clauseStart: name.getStart(), clauseEnd: name.end, inner: [] };
  if (shape.kind === "value") return { ...span, before: "import " };
  const reason = reasonAgainstNamespace(form, shape.names);
  return reason === undefined ? { ...span, before: "import * as " } : { reason };
}

function clauseOfMember({ list, member: { key, name } }: Extract<LoadForm, { kind: "member" }>): Clause {
  const bound = key === name.text ? key : `${key} as ${name.text}`;
  const at = { start: name.getStart(), end: name.end };
  const inner = [{ ...at, text: `{ ${bound} }` }];
  return { start: list.getStart(), clauseStart: at.start, clauseEnd: at.end, before: "import ", inner };
}

function clauseOfPattern(
  { list, pattern }: Extract<LoadForm, { kind: "members" }>,
  text: string,
): Clause | { reason: string } {
  const inner = pattern.elements.flatMap(({ propertyName, name }): Splice[] =>
    propertyName ? [{ start: propertyName.end, end: name.getStart(), text: " as " }] : [],
  );
  if (inner.some((splice) => hasComment(text, splice))) return { reason: "a comment stands in its pattern" };
  const span = { clauseStart: pattern.getStart(), clauseEnd: pattern.end };
  return { start: list.getStart(), ...span, before: "import ", inner };
}

/** A namespace is read-only and no ordinary object: only reads of what it exports are the same. */
function reasonAgainstNamespace({ binding }: Extract<LoadForm, { kind: "name" }>, names: ReadonlySet<string>) {
  const isRead = ({ parent }: ts.Identifier) =>
    ts.isPropertyAccessExpression(parent) &&
    names.has(parent.name.text) &&
    !isWritten(parent) &&
    !ts.isDeleteExpression(parent.parent);
  return binding.uses.every(isRead)
    ? undefined
    : "its exports are used as an object, changed, or asked for a name that it does not export";
}

/** What a module gives to who imports it: one value, as `module.exports` was, or names. */
export type Shape =
  /** `named` are properties of the value that are exported by their names as well. */
  { kind: "value"; named: ReadonlySet<string> } | { kind: "names"; names: ReadonlySet<string> };

/** Whether a stretch of code, in which no text begins, holds a comment. */
export function hasComment(text: string, { start, end }: { start: number; end: number }): boolean {
  return /\/[/*]/.test(text.slice(start, end));
}
