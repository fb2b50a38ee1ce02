import { z } from "@hono/zod-openapi";
import type { Refusal } from "./problem.ts";

/** The place in a list at which the next page starts, as clients carry it: theirs to send back, not to read. */
export function toCursor(after: string): string {
  return Buffer.from(`${mark}${after}`).toString("base64url");
}

const mark = "after:";

/** What `toCursor` was given; a refusal for what it never gave. */
export function fromCursor(cursor: string): { after: string } | { refusal: Refusal } {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const after = text.slice(mark.length);
  if (text.startsWith(mark) && toCursor(after) === cursor) return { after };
  const detail = "the cursor is not one that a page of this list gave";
  const errors = [{ place: "query.cursor", message: "unknown" }];
  return { refusal: { code: "invalid", detail, remedy: "start from the first page", errors } };
}

/** The query of a list that comes in pages; `what` is in it, in the plural. */
export function cursorQuery(what: string) {
  return z.strictObject({
    limit: z
      .string()
      .regex(/^(?:[1-9]\d?|1\d\d|200)$/, "a number from 1 to 200")
      .default("50")
      .transform(Number)
      .openapi({ type: "integer", minimum: 1, maximum: 200, default: 50, description: `most ${what} of one page` }),
    cursor: z
      .string()
      .max(500)
      .optional()
      .meta({ description: "`next_cursor` of the page before; of no other meaning" }),
  });
}
