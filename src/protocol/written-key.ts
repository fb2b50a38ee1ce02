import type { z } from "zod";

/**
 * A key that may be left out: what it says, and what holds where it is not written, as a value (`{ is: "15m" }`) or in
 * words. Both go into the JSON Schema that editors read.
 */
export function key<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  usual: { is: unknown } | string,
): z.ZodOptional<Schema> {
  const optional: z.ZodOptional<Schema> = schema.optional() as z.ZodOptional<Schema>;
  if (typeof usual === "string") return optional.meta({ description: `${description}; default: ${usual}` });
  return optional.meta({ description, default: usual.is });
}
