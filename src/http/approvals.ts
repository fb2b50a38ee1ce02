import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { type ApprovalView, approvalAnswer, approvalState, approvalView } from "../protocol/approval.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { fromCursor, toCursor } from "./cursor.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { jsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { noQuery, pageOf, problems, secured } from "./route.ts";

/** Questions to people: listed, looked at, answered. The first answer counts. */
export function addApprovals(
  app: OpenAPIHono<HttpEnv>,
  { coordinator, limits }: { coordinator: Coordinator; limits: HttpLimits },
): void {
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, state, job, prefix } = c.req.valid("query");
    const place = cursor === undefined ? { after: undefined } : fromCursor(cursor);
    if ("refusal" in place) return refuse(c, place.refusal);
    const page = await coordinator.approvals({ limit, state, prefix, job, after: place.after });
    const nextCursor = page.next === undefined ? null : toCursor(page.next);
    return c.json({ data: page.approvals, next_cursor: nextCursor, has_more: page.next !== undefined }, 200);
  });
  app.openapi(showRoute, async (c) => {
    const { id } = c.req.valid("param");
    const approval = await coordinator.approval(id);
    return approval ? c.json(approval, 200) : refuse(c, unknownApproval(id));
  });
  app.openapi(decideRoute(limits), async (c) => {
    const { id } = c.req.valid("param");
    const { caller } = c.env.exchange;
    if (!caller) return refuse(c, { code: "internal", detail: "nobody answers this question" });
    const decided = await coordinator.decideApproval(id, c.req.valid("json"), caller.name);
    if (decided.kind === "unknown") return refuse(c, unknownApproval(id));
    return decided.kind === "decided" ? c.json(decided.approval, 200) : refuse(c, settled(decided.approval));
  });
}

const unknownApproval = (id: string) => ({
  code: "unknown_approval",
  detail: `there is no approval ${JSON.stringify(id.slice(0, 100))}`,
  remedy: "GET /v1/approvals?state=pending lists those that wait",
});

/** Who came first, for whoever came second. */
function settled({ id, state, decided_by, decided_at, expires_at }: ApprovalView) {
  if (decided_by !== undefined) {
    return { code: "approval_decided", detail: `approval ${id} was ${state} by ${decided_by} at ${decided_at}` };
  }
  if (state === "withdrawn") {
    return { code: "approval_withdrawn", detail: `approval ${id} was withdrawn at ${decided_at}: its run is over` };
  }
  return { code: "approval_expired", detail: `approval ${id} expired at ${expires_at}`, remedy: "run the job again" };
}

const shape = approvalView.meta({
  id: "Approval",
  description: "a question about one call with exactly this input, under this rule, until it expires",
});

const idParameter = z.object({ id: z.string().openapi({ format: "uuid", description: "the approval's id" }) });

const listRoute = createRoute({
  method: "get",
  path: "/v1/approvals",
  operationId: "listApprovals",
  tags: ["Approvals"],
  summary: "List questions, newest first",
  security: secured("approve"),
  middleware: [needs("approve"), answersWith("application/json")],
  request: {
    query: z.strictObject({
      state: approvalState.optional(),
      job: z.string().max(100).optional().meta({ description: "only of this job: its id, its handle or `last`" }),
      prefix: z
        .string()
        .regex(/^[0-9a-f-]{1,36}$/, "the first characters of an id")
        .optional()
        .meta({ description: "only those whose id begins so" }),
      limit: z
        .string()
        .regex(/^(?:[1-9]\d?|1\d\d|200)$/, "a number from 1 to 200")
        .default("50")
        .transform(Number)
        .openapi({ type: "integer", minimum: 1, maximum: 200, default: 50, description: "most of one page" }),
      cursor: z.string().max(500).optional().meta({ description: "`next_cursor` of the page before" }),
    }),
  },
  responses: {
    200: { description: "One page", content: { "application/json": { schema: pageOf(shape) } } },
    ...problems(400, 401, 403, 404, 406),
  },
});

const showRoute = createRoute({
  method: "get",
  path: "/v1/approvals/{id}",
  operationId: "showApproval",
  tags: ["Approvals"],
  summary: "Look at a question",
  security: secured("approve"),
  middleware: [needs("approve"), noQuery, answersWith("application/json")],
  request: { params: idParameter },
  responses: {
    200: { description: "The question", content: { "application/json": { schema: shape } } },
    ...problems(400, 401, 403, 404, 406),
  },
});

const decideRoute = (limits: HttpLimits) =>
  createRoute({
    method: "post",
    path: "/v1/approvals/{id}",
    operationId: "decideApproval",
    tags: ["Approvals"],
    summary: "Answer a question",
    description:
      "The first answer counts; any later one is refused with 409 and who was first. `remember` makes it hold for the rest of the job, for whatever `suggestion` covers; it never lifts a deny rule. A denied agent is told the `note`.",
    security: secured("approve"),
    middleware: [needs("approve"), noQuery, answersWith("application/json"), jsonBody(limits)],
    request: {
      params: idParameter,
      body: {
        required: true,
        content: { "application/json": { schema: approvalAnswer.meta({ id: "ApprovalAnswer" }) } },
      },
    },
    responses: {
      200: { description: "It counts", content: { "application/json": { schema: shape } } },
      ...problems(400, 401, 403, 404, 406, 408, 409, 413, 415),
    },
  });
