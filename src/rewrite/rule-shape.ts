import { type Pattern, readPattern } from "./pattern.ts";
import type { Language } from "./source-text.ts";

/** What can be known of an ast-grep rule object without running it. Anything unknown counts as "may match". */
export interface RuleShape {
  /** Ways the rule can match; in each, a file must hold all of these words. */
  words: ReadonlyArray<ReadonlySet<string>>;
  /** Whether the rule says which kinds of nodes it is about; ast-grep refuses those that do not. */
  hasKinds: boolean;
}

type Reading = { language: Language; utils: Readonly<Record<string, unknown>>; open: ReadonlySet<string> };

const anything: RuleShape = { words: [new Set()], hasKinds: false };
const mostAlternatives = 64;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value that must be an object, or the refusal of `key`. */
export function recordOf(
  value: unknown,
  key: string,
  refuse: (place: string, reason: string, remedy: string) => Error,
): Record<string, unknown> {
  if (isRecord(value)) return { ...value };
  throw refuse(key, "not an object", "see https://ast-grep.github.io/reference/rule.html");
}

/** The shape of a rule, each of whose keys must hold together. */
export function shapeOf(rule: unknown, reading: Reading): RuleShape {
  if (!isRecord(rule)) return anything;
  return Object.entries(rule)
    .map(([key, value]) => keyShape(key, value, reading))
    .reduce(both, anything);
}

function keyShape(key: string, value: unknown, reading: Reading): RuleShape {
  if (key === "kind") return { ...anything, hasKinds: true };
  if (key === "pattern") return patternShape(value, reading.language);
  if (key === "all" && Array.isArray(value)) return value.map((rule) => shapeOf(rule, reading)).reduce(both, anything);
  if (key === "any" && Array.isArray(value)) return either(value.map((rule) => shapeOf(rule, reading)));
  if (key === "matches" && typeof value === "string") return utilShape(value, reading);
  if (["inside", "has", "precedes", "follows"].includes(key)) {
    return { words: shapeOf(relationOnly(value), reading).words, hasKinds: false };
  }
  return anything;
}

/** A relation without the key that only says how far to look. */
function relationOnly(relation: unknown): unknown {
  if (!isRecord(relation)) return relation;
  const { stopBy: _, ...rule } = relation;
  return rule;
}

function patternShape(value: unknown, language: Language): RuleShape {
  if (typeof value !== "string") return { ...anything, hasKinds: true };
  const pattern = readPattern(language, value);
  return isPattern(pattern) ? { words: [new Set(pattern.words)], hasKinds: !pattern.isAnything } : anything;
}

function isPattern(read: Pattern | { problem: string }): read is Pattern {
  return !("problem" in read);
}

function utilShape(name: string, reading: Reading): RuleShape {
  const rule = Object.hasOwn(reading.utils, name) ? reading.utils[name] : undefined;
  if (rule === undefined || reading.open.has(name)) return anything;
  return shapeOf(rule, { ...reading, open: new Set([...reading.open, name]) });
}

function both(one: RuleShape, other: RuleShape): RuleShape {
  const hasKinds = one.hasKinds || other.hasKinds;
  if (one.words.length * other.words.length > mostAlternatives) return { words: one.words, hasKinds };
  return { words: one.words.flatMap((left) => other.words.map((right) => left.union(right))), hasKinds };
}

function either(shapes: readonly RuleShape[]): RuleShape {
  const words = shapes.flatMap((shape) => shape.words);
  const isTooMany = words.length > mostAlternatives;
  return { words: isTooMany ? anything.words : words, hasKinds: shapes.every((shape) => shape.hasKinds) };
}
