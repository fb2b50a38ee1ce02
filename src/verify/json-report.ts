import type { z } from "zod";

/**
 * The JSON document in what a command printed. A package manager writes its own lines before and after it, and
 * nothing else may: two documents, or half of one, are no report.
 */
export function readJson<Value>(text: string, schema: z.ZodType<Value>): { json: Value } | { unreadable: string } {
  const value = parse(text.trim()) ?? parse(between(text));
  if (value === undefined) return { unreadable: "it is no JSON document (or not a whole one)" };
  const checked = schema.safeParse(value.json);
  if (checked.success) return { json: checked.data };
  const [issue] = checked.error.issues;
  return {
    unreadable: `it has another form than expected: ${issue?.path.join(".") || "top level"}: ${issue?.message}`,
  };
}

function parse(text: string): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** From the first line that begins with a bracket to the last line that ends with one. */
function between(text: string): string {
  const start = text.search(/^[[{]/m);
  const end = Math.max(text.lastIndexOf("]"), text.lastIndexOf("}"));
  return start < 0 ? "" : text.slice(start, end + 1);
}
