import type { Finding } from "../protocol/part.ts";
import type { Expression, TemplateFunction } from "../protocol/template.ts";

/** What a name in a template stands for. */
export type TemplateValue = string | readonly (string | Finding)[];

type Name = Extract<Expression, { kind: "name" }>;

/** The value of an expression; undefined where a name in it stands for nothing and no `default` says what then. */
export function evaluate(
  expression: Expression,
  lookUp: (name: Name) => TemplateValue | undefined,
): TemplateValue | undefined {
  switch (expression.kind) {
    case "text":
      return expression.value;
    case "name":
      return lookUp(expression);
    case "call": {
      const [first, second] = expression.given.map((given) => evaluate(given, lookUp));
      if (expression.name === "default") return first === undefined || first.length === 0 ? second : first;
      return first === undefined || (second === undefined && expression.given.length > 1)
        ? undefined
        : apply(expression.name, first, second);
    }
  }
}

function apply(
  name: Exclude<TemplateFunction, "default">,
  value: TemplateValue,
  second: TemplateValue = "",
): TemplateValue {
  if (name === "json") return JSON.stringify(value);
  if (name === "join") return typeof value === "string" ? value : value.map(line).join(asText(second));
  const each = simple[name];
  return typeof value === "string" ? each(value) : value.map((item) => each(line(item)));
}

const simple: Readonly<Record<"basename" | "dirname" | "lower" | "regex" | "upper", (text: string) => string>> = {
  basename: (path) => path.replace(/\/+$/, "").replace(/^.*\//s, ""),
  dirname: (path) => /^(.*?)\/+[^/]*\/*$/s.exec(path)?.[1] ?? ".",
  lower: (text) => text.toLowerCase(),
  // A hyphen needs an escape within a class only, where `\-` would do; `\x2d` does everywhere.
  regex: (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll("-", "\\x2d"),
  upper: (text) => text.toUpperCase(),
};

/** A value in the middle of a text: a list has one item a line. */
export function asText(value: TemplateValue): string {
  return typeof value === "string" ? value : value.map(line).join("\n");
}

/** A finding as compilers print them: `src/a.ts:3:14: message (rule)`. */
export function line(item: string | Finding): string {
  if (typeof item === "string") return item;
  const { path, line, column, rule, message } = item;
  const place = [path, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(":");
  return `${place}: ${message.replace(/\s+/g, " ").trim()}${rule === undefined ? "" : ` (${rule})`}`;
}
