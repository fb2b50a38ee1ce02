import type { SgNode } from "@ast-grep/napi";

/**
 * The replacement text of a match, made exactly as the ast-grep command makes it: spaces of indentation are
 * carried over line by line, tabs and carriage returns are not interpreted.
 */
export type FixTemplate = readonly Part[];

type Part = { kind: "text"; text: string } | { kind: "one" | "many" | "transformed"; name: string; indent: number };

export interface Variable {
  name: string;
  /** `$$$NAME` rather than `$NAME`. */
  isMany: boolean;
}

const variable = /\$\$\$([A-Z_][A-Z0-9_]*)|\$\$?([A-Z_][A-Z0-9_]*)/y;

/** Reads a fix. `transformed` are the names that a rule's `transform` makes. */
export function parseTemplate(fix: string, transformed: ReadonlySet<string>): FixTemplate {
  const parts: Part[] = [];
  let from = 0;
  for (let at = fix.indexOf("$"); at !== -1; at = fix.indexOf("$", at)) {
    variable.lastIndex = at;
    const found = variable.exec(fix);
    if (!found) {
      at++;
      continue;
    }
    parts.push({ kind: "text", text: fix.slice(from, at) }, variablePart(found, indentAt(fix, at), transformed));
    at += found[0].length;
    from = at;
  }
  return [...parts, { kind: "text", text: fix.slice(from) }];
}

function variablePart(found: RegExpExecArray, indent: number, transformed: ReadonlySet<string>): Part {
  const [, many, one = ""] = found;
  if (many !== undefined) return { kind: "many", name: many, indent };
  return { kind: transformed.has(one) ? "transformed" : "one", name: one, indent };
}

/** The variables a template needs, but for the transformed ones. */
export function variablesOf(template: FixTemplate): Variable[] {
  return template.flatMap((part) =>
    part.kind === "one" || part.kind === "many" ? [{ name: part.name, isMany: part.kind === "many" }] : [],
  );
}

/** The text that replaces `match`, a node found in `source`. */
export function expandTemplate(template: FixTemplate, match: SgNode, source: string): string {
  const text = template.map((part) => (part.kind === "text" ? part.text : captured(part, match, source))).join("");
  return text.includes("\n") ? reindent(text, 0, indentAt(source, match.range().start.index)) : text;
}

function captured(part: Exclude<Part, { kind: "text" }>, match: SgNode, source: string): string {
  if (part.kind === "transformed") return reindent(match.getTransformed(part.name) ?? "", 0, part.indent);
  const nodes = part.kind === "many" ? match.getMultipleMatches(part.name) : [match.getMatch(part.name)];
  const start = nodes[0]?.range().start.index;
  const end = nodes.at(-1)?.range().end.index;
  if (start === undefined || end === undefined) return "";
  return reindent(source.slice(start, end), indentAt(source, start), part.indent);
}

/** Moves all lines but the first from one indentation to another. */
function reindent(text: string, from: number, to: number): string {
  if (from === to || !text.includes("\n")) return text;
  if (from < to) return text.replaceAll("\n", `\n${" ".repeat(to - from)}`);
  const surplus = " ".repeat(from - to);
  return text
    .split("\n")
    .map((line) => (line.startsWith(surplus) ? line.slice(surplus.length) : line))
    .join("\n");
}

/** ast-grep gives up on indentation in lines longer than this many bytes before the match. */
const farthestBytes = 512;

/** How many spaces open the line that holds `index`; 0 when the line began too long ago to tell. */
function indentAt(text: string, index: number): number {
  let indent = 0;
  let bytes = 0;
  for (let at = index - 1; at >= 0; at--) {
    const unit = text.charCodeAt(at);
    bytes += utf8Length(unit);
    if (bytes > farthestBytes) return 0;
    if (unit === 10) return indent;
    indent = unit === 32 ? indent + 1 : 0;
  }
  return indent;
}

/** Bytes of a UTF-16 unit in UTF-8; each half of a surrogate pair counts two. */
function utf8Length(unit: number): number {
  if (unit < 0x80) return 1;
  return unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
}
