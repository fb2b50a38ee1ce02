import type { z } from "zod";
import { alternatives, schemasWithin } from "./schema-shape.ts";

/**
 * The value without its `x-...` keys, which belong to whoever wrote them. Only where the schema names keys: what the
 * schema leaves open (the input of a tool, a rule of another program) stays as it is.
 */
export function withoutExtensions(value: unknown, schema: z.core.$ZodType): unknown {
  return strip(value, alternatives(schema));
}

function strip(value: unknown, schemas: readonly z.core.$ZodType[]): unknown {
  if (typeof value !== "object" || value === null || schemas.length === 0) return value;
  if (Array.isArray(value)) {
    const inside = schemasWithin(schemas, 0);
    return value.map((item) => strip(item, inside));
  }
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const inside = schemasWithin(schemas, key);
    return key.startsWith("x-") && isClosed(schemas, key) ? [] : [[key, strip(item, inside)]];
  });
  return Object.fromEntries(entries);
}

function isClosed(schemas: readonly z.core.$ZodType[], key: string): boolean {
  return schemas.some((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === "object") return !Object.hasOwn(def.shape, key);
    return def.type === "record" && !alternatives(def.valueType).some((one) => one._zod.def.type === "unknown");
  });
}
