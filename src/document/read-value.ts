import type { z } from "zod";
import { Fault, type FaultCode } from "../protocol/failure.ts";
import { explainIssues } from "./explain.ts";
import { withoutExtensions } from "./extensions.ts";
import type { Place } from "./place.ts";
import type { PlacedDocument } from "./read-document.ts";
import { excessOf, type ValueBounds } from "./value-bounds.ts";

/**
 * Reads a JSON value as `readDocument` reads a file: the same refusals in the same words, with the path in the value
 * in the place of line and column, such as `job.each[0].codemod`.
 */
export function readValue<Value>(
  value: unknown,
  options: { root: string; schema: z.ZodType<Value>; code: FaultCode; remedy?: string; bounds: ValueBounds },
): PlacedDocument<Value> {
  const place = placeIn(options.root);
  const excess = excessOf(value, options.bounds);
  if (excess) throw refusal([`${place(excess.path)}: ${excess.reason}`], options);
  const stripped = withoutExtensions(value, options.schema);
  const checked = options.schema.safeParse(stripped, { error: () => "" });
  if (checked.success) return { value: checked.data, written: value, place };
  const explained = explainIssues(checked.error.issues, stripped, options.schema);
  throw refusal(
    explained.map(({ path, message }) => `${place(path)}: ${message}`),
    options,
  );
}

const mostListed = 20;

function refusal(lines: readonly string[], options: { code: FaultCode; remedy?: string }): Fault {
  const shown = [...new Set(lines)].slice(0, mostListed);
  if (lines.length > shown.length) shown.push("... and more; correct these first");
  return new Fault(options.code, shown.join("\n"), options.remedy ? { remedy: options.remedy } : {});
}

/** `job.agents["a b"].prompt`: names that need no quotes have none, and a long one is cut. */
function placeIn(root: string): Place {
  return (path) => path.reduce<string>((above, part) => above + step(part), root);
}

function step(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  const name = String(part);
  if (/^[A-Za-z_$][\w$]{0,63}$/.test(name)) return `.${name}`;
  return `[${JSON.stringify(name.length > 64 ? `${name.slice(0, 61)}...` : name)}]`;
}
