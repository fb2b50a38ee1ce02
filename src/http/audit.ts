import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { AuditLog } from "../db/audit.ts";
import { auditedCall } from "../protocol/audited-call.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { cursorQuery, fromCursor, toCursor } from "./cursor.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { pageOf, problems, secured } from "./route.ts";

/** Who asked this server for which change, and what became of it. */
export function addAudit(app: OpenAPIHono<HttpEnv>, { audit }: { audit: Pick<AuditLog, "list"> }): void {
  app.openapi(route, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const place = cursor === undefined ? { after: undefined } : fromCursor(cursor);
    if ("refusal" in place) return refuse(c, place.refusal);
    const { calls, next } = await audit.list({ limit, after: place.after });
    const next_cursor = next === undefined ? null : toCursor(next);
    return c.json({ data: calls, next_cursor, has_more: next !== undefined }, 200);
  });
}

const call = auditedCall.meta({ id: "AuditedCall", description: "a call that asked for a change" });

const route = createRoute({
  method: "get",
  path: "/v1/audit",
  operationId: "listAuditedCalls",
  tags: ["Server"],
  summary: "List the calls that asked for a change, newest first",
  description:
    "Refused ones too. A row is written before the call is carried out; `status` follows with the answer. Never a body, a query or a secret.",
  security: secured("admin"),
  middleware: [needs("admin"), answersWith("application/json")],
  request: { query: cursorQuery("calls") },
  responses: {
    200: { description: "One page", content: { "application/json": { schema: pageOf(call) } } },
    ...problems(400, 401, 403, 406),
  },
});
