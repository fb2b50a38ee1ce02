import { z } from "zod";
import { jobFile } from "./job-file.ts";

/**
 * The job file as JSON Schema (draft 2020-12), for editors. It knows the keys and their kinds; what a text means (a
 * template, a path, a duration) is checked by reading the file. It never refuses what reading takes.
 */
export function jobFileSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(jobFile, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type === "object") withoutLater(jsonSchema, def.shape);
      // Left out by zod where a text is turned into something else, such as a duration.
      const usual = z.globalRegistry.get(zodSchema)?.default;
      if (usual !== undefined) jsonSchema.default = usual;
      // Keys that begin with `x-` belong to whoever wrote them.
      if (def.type === "object" || def.type === "record") jsonSchema.patternProperties = { "^x-": {} };
    },
  });
  return { $schema, title: "Sheaf job file, version 1", ...schema };
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Keys that are not built yet are refused like unknown ones. */
function withoutLater(schema: JsonSchema, shape: Readonly<Record<string, z.core.$ZodType>>): void {
  for (const [name, inner] of Object.entries(shape)) if (isLater(inner)) delete schema.properties?.[name];
}

function isLater(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "optional" && def.innerType._zod.def.type === "custom";
}
