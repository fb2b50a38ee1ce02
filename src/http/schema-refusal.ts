import type { z } from "zod";
import type { Refusal } from "./problem.ts";

/** A request that does not fit its schema, told place by place: `body.repository`, `query.limit`. */
export function schemaRefusal(part: keyof typeof parts, error: z.ZodError): Refusal {
  const errors = error.issues.slice(0, mostErrors).map((issue) => ({
    place: placeOf(part, issue.path),
    message: wordsOf(issue),
  }));
  const left = error.issues.length - errors.length;
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length + left - 1} more)` : "";
  return {
    code: "invalid",
    detail: `${first?.place ?? part}: ${first?.message ?? "it does not fit"}${more}`,
    remedy: "the reference page (/docs) describes every field",
    errors,
  };
}

const parts = { json: "body", query: "query", param: "path", header: "header", form: "body", cookie: "cookie" };
const mostErrors = 20;

function placeOf(part: keyof typeof parts, path: readonly PropertyKey[]): string {
  return path.reduce<string>((place, key) => {
    if (typeof key === "number") return `${place}[${key}]`;
    const name = String(key).slice(0, 100);
    return /^[\w-]+$/.test(name) ? `${place}.${name}` : `${place}[${JSON.stringify(name)}]`;
  }, parts[part]);
}

/** Of a union it is said what each of its forms lacks. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue.message.slice(0, 300);
  const forms = issue.errors.map((form) => form.map(inForm).join(" and "));
  return `it is none of what it may be: ${[...new Set(forms)].join("; ")}`.slice(0, 500);
}

function inForm(issue: z.core.$ZodIssue): string {
  const place = issue.path.map(String).join(".");
  return place === "" ? wordsOf(issue) : `${place}: ${wordsOf(issue)}`;
}
