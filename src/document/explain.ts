import type { z } from "zod";
import { found, quoted } from "./found.ts";
import { nearest } from "./nearest.ts";
import { expectation, knownKeys, schemasAt, suggestedKeys } from "./schema-shape.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One problem in words, and whether it is about the key or the value at that path. */
export interface Explained {
  path: Path;
  at: "key" | "value";
  message: string;
}

/**
 * What a schema found wrong, in the words of the file and not of the schema. Issues without a message get one here;
 * a message that a schema wrote itself is kept. `value` is what was checked.
 */
export function explainIssues(issues: readonly Issue[], value: unknown, schema: z.core.$ZodType): Explained[] {
  const context: Context = { value, schema, answered: new Set() };
  const explained: Found[] = [];
  for (const issue of issues) {
    if (explained.length >= mostExplained) break;
    explained.push(...explain(issue, [], context));
  }
  return explained.filter(({ lacksIn }) => !lacksIn?.some((key) => context.answered.has(key)));
}

/** Finding the place and the nearest word of a problem takes time, and a file can hold a hundred thousand. */
const mostExplained = 100;

interface Context {
  value: unknown;
  schema: z.core.$ZodType;
  /** Keys that a misspelt neighbour meant, and mappings (`path/*`) where a key was misspelt or is not built yet. */
  answered: Set<string>;
}

interface Found extends Explained {
  /** Says that something is not there. One of these answered makes it noise: the key is there, in another form. */
  lacksIn?: string[];
}

function explain(issue: Issue, above: Path, context: Context): Found[] {
  const path = [...above, ...issue.path];
  if (issue.message !== "") return [inSchemaWords(issue, path, context)];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, mostExplained).map((key) => unknownKey(key, path, context));
    case "invalid_union":
      return explainUnion(issue.errors, path, context);
    case "invalid_key":
      return [
        { path, at: "key", message: issue.issues[0]?.message || "this key is not allowed here; use another name" },
      ];
    default:
      return [mismatch(issue, path, context)];
  }
}

function inSchemaWords(issue: Issue, path: Path, context: Context): Found {
  const isAboutKey = issue.code === "custom" && issue.params?.at === "key";
  if (!isAboutKey) return { path, at: "value", message: issue.message, lacksIn: [pathKey([...path, "*"])] };
  context.answered.add(pathKey([...path.slice(0, -1), "*"]));
  return { path, at: "key", message: `${quoted(String(path.at(-1)))} ${issue.message}` };
}

function unknownKey(key: string, path: Path, context: Context): Found {
  const schemas = schemasAt(context.schema, path);
  const meant = nearest(key, knownKeys(schemas));
  if (meant !== undefined) {
    context.answered.add(pathKey([...path, meant]));
    context.answered.add(pathKey([...path, "*"]));
  }
  const remedy =
    meant === undefined ? `the keys here are ${suggestedKeys(schemas).join(", ")}` : `did you mean "${meant}"?`;
  return { path: [...path, key], at: "key", message: `unknown key ${quoted(key)}; ${remedy}` };
}

/** The branch that was meant is the one of the same kind of value with the fewest things wrong. */
function explainUnion(branches: readonly (readonly Issue[])[], path: Path, context: Context): Found[] {
  const value = valueAt(context.value, path);
  const meant = branches
    .filter((issues) => !issues.some((issue) => isOtherKind(issue, value)))
    .sort((one, other) => weight(one) - weight(other))[0];
  return meant ? meant.flatMap((issue) => explain(issue, path, context)) : [wrongValue(path, value, context)];
}

function isOtherKind(issue: Issue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  return issue.code === "invalid_type" || (issue.code === "invalid_value" && typeof value !== "string");
}

function weight(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length + 1 : 1), 0);
}

function mismatch(issue: Issue, path: Path, context: Context): Found {
  const value = valueAt(context.value, path);
  if (issue.code === "too_small") return bounded(path, value, "at least", issue.minimum);
  if (issue.code === "too_big") return bounded(path, value, "at most", issue.maximum);
  if (issue.code === "invalid_format") {
    return { path, at: "value", message: `${quoted(String(value))} does not have the form of ${issue.format}` };
  }
  return wrongValue(path, value, context);
}

function bounded(path: Path, value: unknown, bound: string, limit: number | bigint): Found {
  if (typeof value === "string") return { path, at: "value", message: `expected ${bound} ${limit} characters` };
  if (Array.isArray(value))
    return {
      path,
      at: "value",
      message: `expected ${bound} ${limit} item${limit === 1 ? "" : "s"}, found ${value.length}`,
    };
  return { path, at: "value", message: `expected ${bound} ${limit}, found ${found(value)}` };
}

function wrongValue(path: Path, value: unknown, context: Context): Found {
  const schemas = schemasAt(context.schema, path);
  const expected = expectation(schemas);
  if (value === undefined && path.length > 0) {
    const message = `${quoted(String(path.at(-1)))} is missing; add it: ${expected}`;
    return { path, at: "value", message, lacksIn: [pathKey(path), pathKey([...path.slice(0, -1), "*"])] };
  }
  return {
    path,
    at: "value",
    message: `expected ${expected}, found ${found(value)}${path.length > 0 ? hint(value, expected) : ""}`,
  };
}

function hint(value: unknown, expected: string): string {
  if (typeof value === "string" && /the number|whole number|a number/.test(expected)) {
    return value.trim() !== "" && Number.isFinite(Number(value)) ? "; write it without quotes" : "";
  }
  if (typeof value === "string") return didYouMean(value, expected);
  const isScalar = typeof value === "number" || typeof value === "boolean";
  if (isScalar && expected.startsWith("a text")) return `; put it in quotes: "${String(value)}"`;
  return value === null ? "; write a value after the colon, or remove the key" : "";
}

/** The words of an expectation are quoted, so they can be offered. */
function didYouMean(value: string, expected: string): string {
  if (expected === "a list") return `; put it in a list: [${quoted(value)}]`;
  const words = [...expected.matchAll(/"([^"]+)"/g)].flatMap((match) => match[1] ?? []);
  const meant = nearest(value, words);
  return meant === undefined ? "" : `; did you mean "${meant}"?`;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, part) => {
    if (typeof inside !== "object" || inside === null || !Object.hasOwn(inside, part)) return undefined;
    return (inside as Record<PropertyKey, unknown>)[part];
  }, value);
}

function pathKey(path: Path): string {
  return JSON.stringify(path.map(String));
}
