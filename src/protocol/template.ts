/**
 * `${{ ... }}` in a text: names out of a closed list, put through functions out of a closed list. No arithmetic, no
 * condition, no access to anything else, and what a name stands for is never read as a template again.
 */
export type Template = readonly TemplatePart[];
export type TemplatePart = { kind: "text"; text: string } | { kind: "filled"; expression: Expression };

export type Expression =
  | { kind: "text"; value: string }
  | { kind: "name"; root: TemplateRoot; key: string }
  | { kind: "call"; name: TemplateFunction; given: readonly Expression[] };

export type TemplateRoot = "inputs" | "item" | "task";

/** Keys of each root; those of `inputs` are the job's own. */
const known = { item: ["path", "name", "owner"], task: ["id", "files", "findings"] } as const;

/** How many values each function takes. */
const functions = { basename: 1, default: 2, dirname: 1, join: 2, json: 1, lower: 1, regex: 1, upper: 1 } as const;
export type TemplateFunction = keyof typeof functions;

export const templateOpening = "${{";

/** The parts of a text, or what is wrong with its templates, in words that quote the place. */
export function parseTemplate(text: string): { template: Template } | { problem: string } {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (let at = text.indexOf(templateOpening); at !== -1; at = text.indexOf(templateOpening, from)) {
    const read = readExpression(text, at);
    if ("problem" in read) return { problem: `${shown(text, at)}: ${read.problem}` };
    if (at > from) parts.push({ kind: "text", text: text.slice(from, at) });
    parts.push({ kind: "filled", expression: read.expression });
    from = read.end;
  }
  if (from < text.length) parts.push({ kind: "text", text: text.slice(from) });
  return { template: parts };
}

/** The names an expression asks for. */
export function namesIn(expression: Expression): Extract<Expression, { kind: "name" }>[] {
  if (expression.kind === "name") return [expression];
  return expression.kind === "call" ? expression.given.flatMap(namesIn) : [];
}

/** A template as text again: parsing it gives the same parts, whatever its texts hold. */
export function printTemplate(template: Template): string {
  const parts: string[] = [];
  let text = "";
  const flush = () => {
    parts.push(text.replaceAll(templateOpening, () => `${templateOpening} '${templateOpening}' }}`));
    text = "";
  };
  for (const part of template) {
    // Neighbouring texts are one text: a "$" at the end of one and "{{" in the next would begin a template.
    if (part.kind === "text") text += part.text;
    else if (part.expression.kind === "text") text += part.expression.value;
    else {
      flush();
      parts.push(`${templateOpening} ${printExpression(part.expression)} }}`);
    }
  }
  flush();
  return parts.join("");
}

/** An expression as people write it, without the braces. */
export function printExpression(expression: Expression): string {
  if (expression.kind === "text") return `'${expression.value.replaceAll("'", "''")}'`;
  if (expression.kind === "name") return `${expression.root}.${expression.key}`;
  return `${expression.name}(${expression.given.map(printExpression).join(", ")})`;
}

interface Reading {
  tokens: readonly Token[];
  at: number;
  depth: number;
}
type Token = { kind: "word" | "text" | "mark"; text: string };
type Read = { expression: Expression } | { problem: string };

const token = /\s*(?:(?<word>[A-Za-z_][A-Za-z0-9_-]*)|'(?<text>[^']*(?:''[^']*)*)'|(?<mark>\}\}|[.,()]))/y;
const deepest = 20;
const mostTokens = 1_000;

function readExpression(text: string, at: number): { expression: Expression; end: number } | { problem: string } {
  const tokens: Token[] = [];
  token.lastIndex = at + templateOpening.length;
  for (;;) {
    const end = token.lastIndex;
    const groups = token.exec(text)?.groups;
    if (!groups) return { problem: badToken(text, end) };
    if (tokens.length > mostTokens) return { problem: `it has more than ${mostTokens} words; write fewer` };
    if (groups.mark === "}}") break;
    tokens.push(tokenOf(groups));
  }
  const end = token.lastIndex;
  const reading: Reading = { tokens, at: 0, depth: 0 };
  const read = value(reading);
  if ("problem" in read) return read;
  const left = tokens[reading.at];
  return left ? { problem: `${quote(left)} is one too many; write one value, or a function of it` } : { ...read, end };
}

function tokenOf(groups: Record<string, string | undefined>): Token {
  if (groups.word !== undefined) return { kind: "word", text: groups.word };
  if (groups.text !== undefined) return { kind: "text", text: groups.text.replaceAll("''", "'") };
  return { kind: "mark", text: groups.mark ?? "" };
}

function badToken(text: string, from: number): string {
  const rest = text.slice(from).trimStart();
  if (rest === "") return `it is not closed; write "}}" at its end`;
  if (rest.startsWith("'")) return "a text in it is not closed; write ' at its end, and '' for one inside it";
  if (rest.startsWith('"')) return "texts in it stand in single quotes; write 'text'";
  return `${JSON.stringify([...rest][0])} means nothing in it; write a name such as task.files, or a function of it`;
}

function value(reading: Reading): Read {
  const first = reading.tokens[reading.at++];
  if (!first) return { problem: `it is empty; write a name such as ${names}` };
  if (first.kind === "text") return { expression: { kind: "text", value: first.text } };
  if (first.kind === "mark") return { problem: `${quote(first)} comes without a name before it; write ${names}` };
  const next = reading.tokens[reading.at];
  return next?.text === "(" && next.kind === "mark" ? call(first.text, reading) : name(first.text, reading);
}

const names = "inputs.NAME, item.path, item.name, item.owner, task.id, task.files or task.findings";

function name(root: string, reading: Reading): Read {
  if (root !== "inputs" && !isRoot(root)) return { problem: `there is no ${quoteText(root)}; the names are ${names}` };
  const dot = reading.tokens[reading.at];
  const key = reading.tokens[reading.at + 1];
  if (dot?.text !== "." || key?.kind !== "word") return { problem: `${root} is no value; write ${keysOf(root)}` };
  reading.at += 2;
  const isKnown = root === "inputs" || (known[root] as readonly string[]).includes(key.text);
  if (!isKnown) return { problem: `there is no ${quoteText(`${root}.${key.text}`)}; write ${keysOf(root)}` };
  return { expression: { kind: "name", root, key: key.text } };
}

function isRoot(root: string): root is keyof typeof known {
  return Object.hasOwn(known, root);
}

function keysOf(root: TemplateRoot): string {
  if (root === "inputs") return "inputs.NAME";
  return known[root].map((key) => `${root}.${key}`).join(" or ");
}

function call(name: string, reading: Reading): Read {
  if (!isFunction(name)) {
    const others = Object.keys(functions).join(", ");
    return { problem: `there is no function ${quoteText(name)}; the functions are ${others}` };
  }
  if (++reading.depth > deepest) return { problem: `functions more than ${deepest} deep; write fewer` };
  const given: Expression[] = [];
  do {
    reading.at++;
    const read = value(reading);
    if ("problem" in read) return read;
    given.push(read.expression);
  } while (reading.tokens[reading.at]?.text === "," && reading.tokens[reading.at]?.kind === "mark");
  const end = reading.tokens[reading.at++];
  if (end?.text !== ")" || end.kind !== "mark")
    return { problem: `${name}( is not closed; write ")" after its values` };
  reading.depth--;
  const wanted = functions[name];
  if (given.length === wanted) return { expression: { kind: "call", name, given } };
  return {
    problem: `${name} takes ${wanted} value${wanted === 1 ? "" : "s"}, not ${given.length}; write ${usage[name]}`,
  };
}

function isFunction(name: string): name is TemplateFunction {
  return Object.hasOwn(functions, name);
}

const usage: Readonly<Record<TemplateFunction, string>> = {
  basename: "basename(item.path)",
  default: "default(item.owner, 'nobody')",
  dirname: "dirname(item.path)",
  join: "join(task.files, ', ')",
  json: "json(task.files)",
  lower: "lower(item.name)",
  regex: "regex(inputs.NAME)",
  upper: "upper(item.name)",
};

function quote({ kind, text }: Token): string {
  return kind === "text" ? `'${text.slice(0, 40)}'` : quoteText(text);
}

function quoteText(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

/** The template as a short piece of one line, with the line of the text it stands in where there are several. */
function shown(text: string, at: number): string {
  const end = text.indexOf("}}", at);
  const whole = text.slice(at, end === -1 ? at + 40 : end + 2);
  const short = JSON.stringify(whole.length > 60 ? `${whole.slice(0, 57)}...` : whole);
  const line = text.slice(0, at).split("\n").length;
  return line === 1 ? short : `${short} in line ${line} of the text`;
}
