import type { z } from "zod";

/** Reads the shape of zod schemas. It knows the kinds that documents use; any other is taken as "some value". */

/** What a schema may be once wrappers (optional, default, transform) are off and unions are spread out. */
export function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  // Every zod 4 schema is one of $ZodTypes; its public base type only hides that.
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      return alternatives(def.innerType);
    case "pipe":
      return alternatives(def.in);
    case "union":
      return def.options.flatMap(alternatives);
    case "lazy":
      return alternatives(def.getter());
    default:
      return [schema];
  }
}

/** The alternatives for the value at a path. */
export function schemasAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType[] {
  return path.reduce<z.core.$ZodType[]>(schemasWithin, alternatives(schema));
}

/** The alternatives for one key or item of a value that any of `schemas` may describe. */
export function schemasWithin(schemas: readonly z.core.$ZodType[], part: PropertyKey): z.core.$ZodType[] {
  return schemas.flatMap((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === "array") return alternatives(def.element);
    if (def.type === "record") return alternatives(def.valueType);
    const inner = def.type === "object" && Object.hasOwn(def.shape, part) ? def.shape[String(part)] : undefined;
    return inner ? alternatives(inner) : [];
  });
}

/** Every key that a mapping described by one of `schemas` may have. */
export function knownKeys(schemas: readonly z.core.$ZodType[]): string[] {
  const keys = schemas.flatMap((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}

/** What may stand there, in words: `a text, or a mapping (name, run)`. Keys that are refused anyway are not offered. */
export function expectation(schemas: readonly z.core.$ZodType[]): string {
  return [...new Set(schemas.flatMap(phrases))].join(", or ") || "another value";
}

function phrases(schema: z.core.$ZodType): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
      return ["a text"];
    case "number":
      return [isWhole(schema) ? "a whole number" : "a number"];
    case "boolean":
      return ["true or false"];
    case "null":
      return ["nothing"];
    case "literal":
      return def.values.map((value) => (typeof value === "number" ? `the number ${value}` : JSON.stringify(value)));
    case "enum":
      return [
        Object.values(def.entries)
          .map((value) => JSON.stringify(value))
          .join(" or "),
      ];
    case "array":
      return ["a list"];
    case "record":
      return ["a mapping"];
    case "object":
      return [`a mapping (${offeredKeys(def.shape).join(", ")})`];
    default:
      return [];
  }
}

function isWhole(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return "format" in def && typeof def.format === "string" && def.format.includes("int");
}

/** The keys to suggest where none is near: those that are not refused anyway. */
export function suggestedKeys(schemas: readonly z.core.$ZodType[]): string[] {
  const keys = schemas.flatMap((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    return def.type === "object" ? offeredKeys(def.shape) : [];
  });
  return [...new Set(keys)];
}

function offeredKeys(shape: Readonly<Record<string, z.core.$ZodType>>): string[] {
  return Object.keys(shape).filter((key) => {
    const inner = shape[key];
    return inner && alternatives(inner).some((one) => one._zod.def.type !== "custom");
  });
}
